//! What can be said on the command line. Comments here are the help that an operator reads.
#![expect(clippy::doc_markdown, rustdoc::bare_urls, reason = "help is shown as it is written, without Markdown")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use rxseal::KeyId;
use rxseal::keys::Suite;

use crate::exit::STATUSES;

/// Manages keyrings: the encrypted keys with which a service seals fields of pharmacy and health records.
///
/// A keyring lives in a store, and is unlocked by a root key. Say where both are with --store and --root, in the environment,
/// or in a configuration file.
#[derive(Parser)]
#[command(name = "rxseal", version, after_help = AFTER_HELP, after_long_help = after_long_help(), propagate_version = true)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EVERYWHERE: &str = "Options of every command";

#[derive(ClapArgs)]
pub struct Global {
    /// Where keyrings are: file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE [env: RXSEAL_STORE]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "STORE")]
    pub store: Option<String>,
    /// A root key that is trusted; several are tried in the order given. See --help for the forms
    /// [env: RXSEAL_ROOTS, separated by spaces, or one on each line]
    #[arg(long = "root", global = true, help_heading = EVERYWHERE, value_name = "ROOT")]
    pub roots: Vec<String>,
    /// A configuration file in TOML, with `store` and `roots` [env: RXSEAL_CONFIG]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where wrapped subject keys are: file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE [env: RXSEAL_SUBJECT_STORE]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "STORE")]
    pub subject_store: Option<String>,
    /// The file that says who was shredded, outside of the subject store and its backups [env: RXSEAL_SHRED_LOG]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub shred_log: Option<PathBuf>,
    /// For how long backups of the subject store are kept, such as 30days [env: RXSEAL_BACKUPS_KEPT]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub backups_kept: Option<Duration>,
    /// Also accepts key files, PIN files and token files that their group may read (mode 0640), as Kubernetes mounts secrets
    /// for a fsGroup [env: RXSEAL_ALLOW_GROUP_READ=true]
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub allow_group_read: bool,
    /// Prints JSON for programs instead of tables for people
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Makes, shows and changes keyrings
    #[command(subcommand)]
    Keyring(Keyring),
    /// Shreds patients, keeps them from being shredded, carries their keys over to a new key
    #[command(subcommand)]
    Subject(Subject),
    /// Makes a root key in a file of this machine
    #[command(subcommand)]
    KeyFile(KeyFile),
    /// Shows what a sealed value tells without a key
    #[command(subcommand)]
    Token(Token),
    /// Opens one field of one record: for drills and for recovery
    #[command(subcommand)]
    Record(Record),
    /// Counts the sealed values of a column by the key they are under, also those in documents of text such as JSON
    Count(Count),
    /// Prints completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page, in roff
    Man,
}

#[derive(Subcommand)]
pub enum Keyring {
    /// Makes the keyring of a new keyspace, wrapped by every root key given
    Init {
        /// The keyspace: a tenant, a pharmacy, an application
        keyspace: String,
        /// The suite of its keys; xchacha is for machines without AES instructions
        #[arg(long, value_enum, default_value_t)]
        suite: SuiteName,
        #[command(flatten)]
        change: Change,
    },
    /// Lists the keyspaces in the store
    List,
    /// Shows the keys and root keys of a keyring; needs no root key
    Inspect {
        /// The keyspace
        keyspace: String,
        /// Fails (keyring-too-old) if the stored keyring is older than this generation: somebody put an older one back
        #[arg(long, value_name = "N")]
        min_generation: Option<u64>,
    },
    /// Asks every root key given to unlock the keyring, each on its own
    Verify {
        /// The keyspace
        keyspace: String,
        /// Fails (keyring-too-old) if the stored keyring is older than this generation: somebody put an older one back
        #[arg(long, value_name = "N")]
        min_generation: Option<u64>,
    },
    /// Adds a key that opens but does not seal yet: the first half of a rotation
    Stage {
        /// The keyspace
        keyspace: String,
        #[command(flatten)]
        change: Change,
    },
    /// Makes the staged key the one that seals: the second half of a rotation
    Promote {
        /// The keyspace
        keyspace: String,
        /// The staged key; the command finds it if you leave it out
        #[arg(allow_hyphen_values = true)]
        key: Option<KeyId>,
        /// How long it must have been staged: at least as long as a reader may take to see it, such as 10m. 0s if one
        /// process holds the keyring
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
        staged_for: Duration,
        #[command(flatten)]
        change: Change,
    },
    /// Stages and promotes a new key at once; only if one process holds the keyring
    Rotate {
        /// The keyspace
        keyspace: String,
        /// Rotates the index root instead; what was indexed before is found with the old one only
        #[arg(long)]
        index_root: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Takes a staged key out of use
    Deactivate {
        /// The keyspace
        keyspace: String,
        /// The key
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
        #[command(flatten)]
        change: Change,
    },
    /// Marks a key that somebody else may hold; rotate first if it is the one that seals
    Compromise {
        /// The keyspace
        keyspace: String,
        /// The key
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
        #[command(flatten)]
        change: Change,
    },
    /// Destroys a key under which nothing is left
    Destroy {
        /// The keyspace
        keyspace: String,
        /// The key
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
        /// How many sealed values are still under it in the backups that must stay readable, and wherever else nothing is counted
        /// here; 0 if there are none
        #[arg(long, value_name = "N", required_unless_present = "force")]
        tokens: Option<u64>,
        #[command(flatten)]
        counted: Counted,
        /// How many wrapped subject keys are still under it, also in backups of the subject store; 0 if none are used. Those in
        /// --subject-store are counted here
        #[arg(long, value_name = "N")]
        subject_keys: Option<u64>,
        /// How long it must have been out of use: as long as a program may go on sealing under it. 0s if one process holds the
        /// keyring
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "65min")]
        unused_for: Duration,
        /// Destroys it whatever is under it and however lately it was in use: all of that is lost for good
        #[arg(long, conflicts_with_all = ["tokens", "columns", "empty", "subject_keys", "unused_for"])]
        force: bool,
        /// Says that you mean it: this cannot be undone
        #[arg(long, required_unless_present = "dry_run")]
        yes: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Puts the same keys under a new KEK, which the root keys named here unlock and no other; data is not touched
    Rewrap {
        /// The keyspace
        keyspace: String,
        /// A root key from now on; may be given several times. If you leave it out, those that unlock it now stay
        #[arg(long = "to", value_name = "ROOT")]
        to: Vec<String>,
        /// Says that you mean it, if root keys that unlock it now are not among those of --to
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Adds and removes root keys
    #[command(subcommand)]
    Root(Root),
}

#[derive(Subcommand)]
pub enum Root {
    /// Lets one more root key unlock the keyring
    Add {
        /// The keyspace
        keyspace: String,
        /// The root key to add, in the forms of --root
        new_root: String,
        #[command(flatten)]
        change: Change,
    },
    /// Takes a root key off the keyring; each that stays has to be given with --root
    Remove {
        /// The keyspace
        keyspace: String,
        /// The provider, as `inspect` shows it
        provider: String,
        /// The root key's name, as `inspect` shows it
        #[arg(allow_hyphen_values = true)]
        name: String,
        #[command(flatten)]
        change: Change,
    },
}

#[derive(Subcommand)]
pub enum Subject {
    /// Destroys a patient's key: every field that was sealed with it is gone for good
    Shred {
        /// The keyspace
        keyspace: String,
        /// The subject: the patient's id
        #[arg(allow_hyphen_values = true)]
        subject: String,
        /// Also a patient of whom nothing is stored: an id that is mistyped looks the same
        #[arg(long)]
        unknown_too: bool,
        /// Says that you mean it: this cannot be undone
        #[arg(long, required_unless_present = "dry_run")]
        yes: bool,
        /// Only says whether it would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Says until when a patient's key must not be destroyed; without options shows it
    Hold {
        /// The keyspace
        keyspace: String,
        /// The subject: the patient's id
        #[arg(allow_hyphen_values = true)]
        subject: String,
        /// The law asks for the records until this day begins, such as 2031-01-01 (UTC); `none` takes the day away
        #[arg(long, value_name = "DATE", value_parser = parse_day)]
        until: Option<Day>,
        /// A court or a payer asks for them, until --release
        #[arg(long)]
        legal_hold: bool,
        /// Ends the legal hold; the day stays
        #[arg(long, conflicts_with = "legal_hold")]
        release: bool,
        /// Also a patient of whom nothing is stored: an id that is mistyped looks the same
        #[arg(long)]
        unknown_too: bool,
        /// Says that you mean an earlier day than before, or none
        #[arg(long)]
        yes: bool,
        /// Only says what would hold
        #[arg(long)]
        dry_run: bool,
    },
    /// Shreds again whoever the log says was shredded: after a restore of the subject store
    Reapply {
        /// Also if the store knows nobody in the log: it was lost as a whole
        #[arg(long)]
        unknown_too: bool,
        /// Only says what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Wraps every subject key under the key that seals now
    Rewrap {
        /// The keyspace
        keyspace: String,
        /// Also those under a compromised key, whose holder could have put keys of their own into the store
        #[arg(long)]
        compromised: bool,
        /// Only says what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Counts the subject keys by the key they are wrapped under
    Count {
        /// The keyspace
        keyspace: String,
    },
    /// Lists the subjects whose key is wrapped under a key: those exposed if it is compromised
    Under {
        /// The keyspace
        keyspace: String,
        /// The key
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
    },
}

/// The first second of a day, in Unix seconds, or none.
#[derive(Clone, Copy)]
pub struct Day(pub Option<u64>);

fn parse_day(text: &str) -> Result<Day, String> {
    if text == "none" {
        return Ok(Day(None));
    }
    let time =
        humantime::parse_rfc3339_weak(&format!("{text}T00:00:00Z")).map_err(|_| "write it as 2031-01-01".to_owned())?;
    time.duration_since(std::time::UNIX_EPOCH)
        .map(|since| Day(Some(since.as_secs())))
        .map_err(|_| "that is before 1970".to_owned())
}

/// Columns of one database whose tokens are counted before a key is destroyed.
#[derive(ClapArgs)]
pub struct Counted {
    /// Counts the tokens in this SQLite database, in the columns of --column
    #[arg(long, value_name = "FILE", conflicts_with = "postgres")]
    pub sqlite: Option<PathBuf>,
    /// Counts them in this PostgreSQL database: its URL without a password
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// A column to count, as TABLE.COLUMN; may be given several times. It must have a token of this keyring, since a mistyped name,
    /// another database and hidden rows look like an empty column
    #[arg(long = "column", value_name = "TABLE.COLUMN")]
    pub columns: Vec<String>,
    /// A column that is meant to have no value at all; may be given several times. Refused if it has one
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub empty: Vec<String>,
}

#[derive(ClapArgs)]
pub struct Change {
    /// Does everything but store the result, and says what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Refuses a stored keyring that is older than this generation: the one that was live last
    #[arg(long, value_name = "N")]
    pub min_generation: Option<u64>,
    /// Says that this machine's clock is right, although the keyring has a time in its future: another machine's clock was wrong
    #[arg(long)]
    pub clock_is_right: bool,
}

#[derive(Subcommand)]
pub enum KeyFile {
    /// Makes a new random root key in a new file, with mode 0600
    Create {
        /// The file; keep it where the data and its backups are not
        path: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum Token {
    /// Shows suite, key and size of sealed values
    Inspect {
        /// A sealed value as text. Without it and without --file, lines are read from the standard input
        token: Option<String>,
        /// A file with one sealed value as bytes, or with lines of text
        #[arg(long, value_name = "FILE", conflicts_with = "token")]
        file: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum Record {
    /// Opens the token of one field. Says whether it opens; shows what is in it only if told to
    Open(OpenRecord),
}

#[derive(ClapArgs)]
pub struct OpenRecord {
    /// The keyspace
    pub keyspace: String,
    /// The record type, as the program names it
    pub record_type: String,
    /// The record's id; leave it out for a record type without ids
    #[arg(allow_hyphen_values = true)]
    pub record_id: Option<String>,
    /// The field's id, such as phi.rx.drug
    #[arg(long, value_name = "ID")]
    pub field: String,
    /// The field's class, such as medication
    #[arg(long, value_name = "ID")]
    pub class: String,
    /// A part of the record, such as line=1; may be given several times, the outermost first
    #[arg(long = "part", value_name = "NAME=ID")]
    pub parts: Vec<String>,
    /// The subject (patient) with whose key the field was sealed, which is taken from --subject-store
    #[arg(long, value_name = "ID")]
    pub subject: Option<String>,
    /// Who opens it, such as user:kim
    #[arg(long, value_name = "ACTOR")]
    pub who: String,
    /// Why: a code of HL7 PurposeOfUse, such as HSYSADMIN or TREAT
    #[arg(long, value_name = "PURPOSE")]
    pub why: String,
    /// The file with the token, as text or bytes; without it the standard input is read
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Prints the plaintext to the standard output: text as it is, bytes in hexadecimal, anything else as JSON
    #[arg(long)]
    pub show_plaintext: bool,
}

#[derive(ClapArgs)]
pub struct Count {
    /// An SQLite database, opened for reading only
    #[arg(long, value_name = "FILE", required_unless_present_any = ["postgres", "sql"], conflicts_with = "postgres")]
    pub sqlite: Option<PathBuf>,
    /// A PostgreSQL database: its URL without a password (PGPASSWORD and the passfile are read)
    #[arg(long, value_name = "URL", conflicts_with = "sql")]
    pub postgres: Option<String>,
    /// The table
    #[arg(long)]
    pub table: String,
    /// The column
    #[arg(long)]
    pub column: String,
    /// Whose keyring the keys should be in; may be given several times, for a column of many tenants. Keys that are in the column
    /// and in none of these keyrings are shown, and end the command with exit code 1
    #[arg(long = "keyspace", value_name = "KEYSPACE", conflicts_with = "sql")]
    pub keyspaces: Vec<String>,
    /// Only prints the SQL, to be run by yourself. No database is needed
    #[arg(long, value_name = "DIALECT", conflicts_with = "sqlite")]
    pub sql: Option<Dialect>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum SuiteName {
    /// XAES-256-GCM
    #[default]
    Xaes,
    /// XChaCha20-Poly1305
    Xchacha,
}

impl From<SuiteName> for Suite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::Xaes => Self::Xaes256Gcm,
            SuiteName::Xchacha => Self::XChaCha20Poly1305,
        }
    }
}

const AFTER_HELP: &str = "`rxseal --help` has the forms of root keys, examples and exit codes.";

fn after_long_help() -> String {
    let exits: Vec<_> = STATUSES.iter().map(|status| format!("  {:<4}{}", status.exit, status.meaning)).collect();
    let exits = exits.join("\n");
    let built = |have: bool| if have { "in this build" } else { "not in this build: install with this feature" };
    format!(
        "\
Root keys:
  file:PATH                 a key file of this machine
  env:VARIABLE              the line of a key file in an environment variable
  aws-kms:KEY               key ARN, key id or alias/NAME; credentials of the standard chain
                            (feature aws-kms, {aws})
  pkcs11:token=LABEL;object=LABEL[?OPTIONS]
                            AES-256 key of an HSM, as a URI of RFC 7512 (also serial, slot-id, id); in quotes, for its
                            semicolon (feature pkcs11, {pkcs11}). Set RXSEAL_PKCS11_MODULE to
                            the path of the HSM's library, and RXSEAL_PKCS11_PIN_FILE or RXSEAL_PKCS11_PIN.
                            Options: module-path, pin-source, pin_env, deadline
  vault:https://HOST:8200/MOUNT/KEY[?OPTIONS]
                            Transit of Vault or OpenBao (feature vault, {vault}). Login by the first of these that is
                            set: VAULT_TOKEN, VAULT_TOKEN_FILE, VAULT_ROLE_ID with VAULT_SECRET_ID. Also read:
                            VAULT_NAMESPACE, and VAULT_CACERT (a PEM file).
                            Options: label, token_file, token_env, role_id with secret_id_env, namespace, ca_file, deadline
  Options are for the one root key and go before the variables, so that two Vaults, tokens or HSMs have a place in one
  command: 'vault:https://vault2:8200/transit/phi-root?label=dc2&token_file=/run/vault2.token'. A label tells the key of
  one Vault from that of another with the same mount and name.
Stores:
  file:FOLDER, sqlite:FILE  in this build
  postgres://HOST/DATABASE  PGUSER, PGPASSWORD and the passfile are read (feature postgres, {postgres})

Secrets are never taken from the command line, where other users of the machine could read them.

Configuration file (--config or RXSEAL_CONFIG):
  store = \"file:/var/lib/pharmacy/keyrings\"
  roots = [
    \"vault:https://vault:8200/transit/phi-root\",
    {{ root = \"vault:https://vault2:8200/transit/phi-root\", label = \"dc2\", token_file = \"/run/vault2.token\" }},
  ]
  subject_store = \"sqlite:/var/lib/pharmacy/subjects.db\"
  shred_log = \"/var/lib/pharmacy/shredded.log\"
  backups_kept = \"30days\"

A first keyring:
  rxseal key-file create /etc/pharmacy/root.key
  export RXSEAL_STORE=file:/var/lib/pharmacy/keyrings RXSEAL_ROOTS=file:/etc/pharmacy/root.key
  rxseal keyring init pharmacy-17
  rxseal keyring inspect pharmacy-17

A rotation:
  1. rxseal keyring stage pharmacy-17
  2. Wait 10 minutes, so that every program has seen it: `promote` refuses before. If the max_staleness of a KeyringManager (5
     minutes unless set otherwise) is longer than that, wait that long, and say so with --staged-for.
  3. rxseal keyring promote pharmacy-17
     That is a rotation. To get rid of the old key too:
  4. Wait for max_staleness and grace (65 minutes unless set otherwise): until then a program may seal under the old key.
  5. Reseal every row with your program (Record::reseal, reseal_page), and if subject keys are used
     rxseal subject rewrap pharmacy-17
  6. Count what is under the old key in the backups that must stay readable, each text token in a document too:
     rxseal count --sqlite backup.db --table prescriptions --column medication
  7. rxseal keyring destroy pharmacy-17 KEY --tokens N --sqlite pharmacy.db --column prescriptions.medication --yes
     with the number of the backups (always said) and every column in which tokens are; one that is empty is named with
     --empty. It counts these and the subject keys in --subject-store (or say --subject-keys 0 if none are used). It
     refuses unless nothing is left, and if a column shows no token of this keyring at all.

Exit codes (docs/COMMAND.md has the codes of --json for each):
{exits}",
        aws = built(cfg!(feature = "aws-kms")),
        pkcs11 = built(cfg!(feature = "pkcs11")),
        vault = built(cfg!(feature = "vault")),
        postgres = built(cfg!(feature = "postgres")),
    )
}
