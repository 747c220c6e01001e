//! What can be said on the command line. Comments here are the help that an operator reads.
#![expect(clippy::doc_markdown, reason = "help is shown as it is written, without Markdown")]

mod audit;
mod change;
mod drill;
mod evidence;
mod exposure;
mod index_root;
mod job;
mod map;
mod scan;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use rxseal::KeyId;
use rxseal::index::Kind;
use rxseal::keys::Suite;

use crate::exit::STATUSES;

pub use audit::{Audit, Budget, Disclosures, Export, Filter, Form, Page, Review};
pub use change::{By, Change, Who};
pub use drill::{Drill, DrillOptions, Rings};
pub use evidence::{Evidence, MakeEvidence};
pub use exposure::Exposure;
pub use index_root::{CountedIndexes, IndexRoot, NewIndexRoot};
pub(crate) use job::JobOperation;
pub use job::{Job, JobFiles, PlanJob, RunJob};
pub use map::{MapCommand, MapFiles};
pub use scan::{Canary, Scan};

/// Manage the keyrings of rxseal, which encrypts fields of health records
///
/// A keyring holds the keys that a service seals fields with. It is kept in a store, encrypted, and a root key unlocks it. Say
/// where both are with --store and --root, in environment variables, or in a configuration file. `rxseal keyring init` makes
/// the first keyring.
#[derive(Parser)]
#[command(name = "rxseal", version, after_help = AFTER_HELP, after_long_help = after_long_help(), propagate_version = true)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EVERYWHERE: &str = "Options for every command";

#[derive(ClapArgs)]
pub struct Global {
    /// Where the keyrings are: file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE [env: RXSEAL_STORE]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "STORE")]
    pub store: Option<String>,
    /// A root key to trust, such as file:PATH or aws-kms:KEY; `rxseal --help` lists the forms. Repeat it for several: they are
    /// tried in order [env: RXSEAL_ROOTS, separated by spaces, or one on each line]
    #[arg(long = "root", global = true, help_heading = EVERYWHERE, value_name = "ROOT")]
    pub roots: Vec<String>,
    /// A configuration file in TOML with these settings [env: RXSEAL_CONFIG]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the subject keys (the patients' own keys) are, in the forms of --store [env: RXSEAL_SUBJECT_STORE]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "STORE")]
    pub subject_store: Option<String>,
    /// The file that records who was shredded. Keep it out of the subject store and its backups [env: RXSEAL_SHRED_LOG]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub shred_log: Option<PathBuf>,
    /// How long backups of the subject store are kept, such as 30days [env: RXSEAL_BACKUPS_KEPT]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub backups_kept: Option<Duration>,
    /// Accept key files, PIN files and token files that their group can read (mode 0640), as Kubernetes mounts them with fsGroup
    /// [env: RXSEAL_ALLOW_GROUP_READ=true]
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub allow_group_read: bool,
    /// The folder of this command's own audit log: it says who changed which keys, and why [env: RXSEAL_AUDIT_LOG]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FOLDER")]
    pub audit_log: Option<PathBuf>,
    /// The key that signs the checkpoints of that log; `rxseal audit keygen` makes it [env: RXSEAL_AUDIT_KEY]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub audit_key: Option<PathBuf>,
    /// A folder elsewhere that gets the checkpoints of that log too [env: RXSEAL_AUDIT_CHECKPOINTS]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FOLDER")]
    pub audit_checkpoints: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Create, show and change keyrings
    #[command(subcommand)]
    Keyring(Keyring),
    /// Shred patients, hold their records, and move their keys to a new key
    #[command(subcommand)]
    Subject(Subject),
    /// Create a root key in a local file
    #[command(subcommand)]
    KeyFile(KeyFile),
    /// Show what a token (a sealed value) reveals without a key
    #[command(subcommand)]
    Token(Token),
    /// Open one field of one record, for drills and recovery
    #[command(subcommand)]
    Record(Record),
    /// Check the map, the file that says in which tables and files sealed data lies
    #[command(subcommand)]
    Map(MapCommand),
    /// Count the tokens of a column by key, or of all that a map names, including those inside JSON and other text
    Count(Count),
    /// Look for plaintext where tokens should be, and for tokens where the map says nothing, in tables, dumps and logs; needs no root key
    ///
    /// The exit status is 0 only if all of it was read and nothing was found, 1 if something was found, and 7 if something could not be read or
    /// judged. No value is printed.
    Scan(Scan),
    /// Plant patients who do not exist, and look for them where nothing should be readable
    #[command(subcommand)]
    Canary(Canary),
    /// Make and verify a folder that shows that data is encrypted and where its keys are
    #[command(subcommand)]
    Evidence(Evidence),
    /// Say what a theft exposed: which patients, which kinds of data, how sure, and by when letters must go; needs no key
    ///
    /// It writes a page for people, two files for programs and a list of patients into a new folder. The exit status is 0 if everything is decided,
    /// and 7 if of some patients nobody can say that nothing was read.
    Exposure(Box<Exposure>),
    /// Print the SQL that lets a database refuse plaintext in a sealed column
    Ddl(Ddl),
    /// Plan the indexes of a search
    #[command(subcommand)]
    Index(Index),
    /// Verify and read the log of who opened what, which rxseal-watch writes
    #[command(subcommand)]
    Audit(Audit),
    /// Suggest budgets, show what is used of them, and freeze an actor, so that it opens nothing
    #[command(subcommand)]
    Budget(Budget),
    /// Try whether all of this would hold today: restore a backup, lose a key
    #[command(subcommand)]
    Drill(Drill),
    /// Seal, reseal or unseal whole tables, beside the programs that use them
    #[command(subcommand)]
    Job(Job),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, in roff
    Man,
}

#[derive(Subcommand)]
pub enum Keyring {
    /// Create the keyring of a new keyspace; each root key given can unlock it
    Init {
        /// The keyspace: a stable name for a tenant, a pharmacy or an application
        keyspace: String,
        /// The cipher of its keys. Choose xchacha for machines without AES instructions
        #[arg(long, value_enum, default_value_t)]
        suite: SuiteName,
        #[command(flatten)]
        change: Change,
    },
    /// List the keyspaces in the store
    List,
    /// Show the keys of a keyring and the root keys that unlock it; needs no root key
    Inspect {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// Fail with keyring-too-old if the stored keyring is older than this generation: somebody put an older one back
        #[arg(long, value_name = "N")]
        min_generation: Option<u64>,
    },
    /// Check that each root key given can unlock the keyring on its own
    Verify {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// Fail with keyring-too-old if the stored keyring is older than this generation: somebody put an older one back
        #[arg(long, value_name = "N")]
        min_generation: Option<u64>,
    },
    /// Add a key that opens but does not seal yet: the first half of a rotation
    Stage {
        /// The keyspace: the name of the keyring
        keyspace: String,
        #[command(flatten)]
        change: Change,
    },
    /// Seal with the staged key from now on: the second half of a rotation
    Promote {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The staged key; found automatically if left out
        #[arg(allow_hyphen_values = true)]
        key: Option<KeyId>,
        /// How long the key must have been staged, such as 10m: at least as long as a program may take to pick it up. 0s if only
        /// one process uses the keyring
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
        staged_for: Duration,
        #[command(flatten)]
        change: Change,
    },
    /// Stage and promote a new key in one step; only if a single process uses the keyring
    Rotate {
        /// The keyspace: the name of the keyring
        keyspace: String,
        #[command(flatten)]
        change: Change,
    },
    /// Take a staged key out of use
    Deactivate {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The key's id, as `rxseal keyring inspect` shows it
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
        #[command(flatten)]
        change: Change,
    },
    /// Mark a key as compromised, if somebody else may know it. Rotate first if it seals
    Compromise {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The key's id, as `rxseal keyring inspect` shows it
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
        #[command(flatten)]
        change: Change,
    },
    /// Destroy a key that nothing is sealed under any more
    Destroy {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The key's id, as `rxseal keyring inspect` shows it
        #[arg(allow_hyphen_values = true)]
        key: KeyId,
        /// How many tokens are still under the key where this command does not count: in backups that must stay readable, for
        /// example. 0 if there are none
        #[arg(long, value_name = "N", required_unless_present = "force")]
        tokens: Option<u64>,
        #[command(flatten)]
        counted: Counted,
        /// How many subject keys are still under the key, in addition to those in --subject-store, which this command counts.
        /// Include backups of the subject store. 0 if you use none
        #[arg(long, value_name = "N")]
        subject_keys: Option<u64>,
        /// How long the key must have been out of use: as long as a program may go on sealing under it. 0s if only one process
        /// uses the keyring
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "65min")]
        unused_for: Duration,
        /// Destroy the key without counting or waiting. Everything still under it is lost for good
        #[arg(long, conflicts_with_all = ["tokens", "map", "columns", "empty", "subject_keys", "unused_for"])]
        force: bool,
        /// Confirm: this cannot be undone
        #[arg(long, required_unless_present = "dry_run")]
        yes: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Encrypt the same keys anew, for the root keys named here and no others; data is not touched
    Rewrap {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// A root key that is to unlock it from now on; may be repeated. If left out, the present ones stay
        #[arg(long = "to", value_name = "ROOT")]
        to: Vec<String>,
        /// Confirm that root keys which unlock it now but are missing from --to are removed
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Add and remove root keys
    #[command(subcommand)]
    Root(Root),
    /// Stage, promote and destroy index roots, which searches use, and count what is under them
    #[command(subcommand)]
    Index(IndexRoot),
}

#[derive(Subcommand)]
pub enum Root {
    /// Let one more root key unlock the keyring
    Add {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The root key to add, in the forms of --root
        new_root: String,
        #[command(flatten)]
        change: Change,
    },
    /// Remove a root key from the keyring. Give each one that stays with --root
    Remove {
        /// The keyspace: the name of the keyring
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
    /// Destroy a patient's key: every field sealed with it is gone for good
    Shred {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The subject: the patient's id
        #[arg(allow_hyphen_values = true)]
        subject: String,
        /// Accept a patient of whom nothing is stored. A mistyped id looks the same
        #[arg(long)]
        unknown_too: bool,
        /// Confirm: this cannot be undone
        #[arg(long, required_unless_present = "dry_run")]
        yes: bool,
        /// Only say whether it would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: By,
    },
    /// Set how long a patient's key must be kept, or show it (without options)
    Hold {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The subject: the patient's id
        #[arg(allow_hyphen_values = true)]
        subject: String,
        /// Keep the records until this day begins (UTC), such as 2031-01-01, as a law requires; `none` removes the day
        #[arg(long, value_name = "DATE", value_parser = parse_day)]
        until: Option<Day>,
        /// Set a legal hold: keep the records until --release
        #[arg(long)]
        legal_hold: bool,
        /// End the legal hold; a day set with --until stays
        #[arg(long, conflicts_with = "legal_hold")]
        release: bool,
        /// Accept a patient of whom nothing is stored. A mistyped id looks the same
        #[arg(long)]
        unknown_too: bool,
        /// Confirm that the records need not be kept as long as before
        #[arg(long)]
        yes: bool,
        /// Only show what would be set
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: By,
    },
    /// Shred everyone in the shred log again, after a restore of the subject store
    Reapply {
        /// Go on even if the store knows nobody in the log: it is new, since the old one was lost
        #[arg(long)]
        unknown_too: bool,
        /// Only show what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: By,
    },
    /// Encrypt every subject key under the key that seals now
    Rewrap {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// Include those under a compromised key. Whoever holds that key could have put keys of their own into the store
        #[arg(long)]
        compromised: bool,
        /// Only show what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: By,
    },
    /// Count the subject keys by the key they are under
    Count {
        /// The keyspace: the name of the keyring
        keyspace: String,
    },
    /// List the subjects whose key is under a given key: those exposed if it is compromised
    Under {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The key's id, as `rxseal keyring inspect` shows it
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

/// Where tokens are counted before a key is destroyed: what a map names, or columns of one database.
#[derive(ClapArgs)]
pub struct Counted {
    /// A map: count every source of it. Each must be readable, and show a token of this keyring unless the map says `empty`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sqlite", "columns", "empty"])]
    pub map: Option<PathBuf>,
    /// Count the tokens of each --column in this SQLite database
    #[arg(long, value_name = "FILE", conflicts_with = "postgres")]
    pub sqlite: Option<PathBuf>,
    /// Count them in this PostgreSQL database: its URL, without a password. With --map, that of its postgres: sources
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// A column that has tokens; may be repeated. It must have a token of this keyring: a mistyped name, another database or
    /// hidden rows would look like an empty column
    #[arg(long = "column", value_name = "TABLE.COLUMN")]
    pub columns: Vec<String>,
    /// A column that should have no value at all; may be repeated. Refused if it has one
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub empty: Vec<String>,
}

#[derive(Subcommand)]
pub enum KeyFile {
    /// Create a new random root key in a new file, with mode 0600
    Create {
        /// The file. Keep it away from the data and its backups
        path: PathBuf,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Subcommand)]
pub enum Token {
    /// Show the suite, key and size of tokens, and of record tags also the version and the cover number
    Inspect {
        /// A token as text. Without it and without --file, the standard input is read, one token on each line
        token: Option<String>,
        /// A file with one token as bytes, or one as text on each line
        #[arg(long, value_name = "FILE", conflicts_with = "token")]
        file: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum Record {
    /// Open the token of one field and say whether it opens; the plaintext is shown only with --show-plaintext
    Open(OpenRecord),
}

#[derive(ClapArgs)]
pub struct OpenRecord {
    /// The keyspace: the name of the keyring
    pub keyspace: String,
    /// The record type that the program uses, such as prescription
    pub record_type: String,
    /// The record's id; leave it out if the record type has no ids
    #[arg(allow_hyphen_values = true)]
    pub record_id: Option<String>,
    /// The field's id, such as phi.rx.drug
    #[arg(long, value_name = "ID")]
    pub field: String,
    /// The field's class, such as medication
    #[arg(long, value_name = "ID")]
    pub class: String,
    /// A part of the record, such as line=1; may be repeated, outermost first
    #[arg(long = "part", value_name = "NAME=ID")]
    pub parts: Vec<String>,
    /// The patient whose key the field was sealed with; the key is read from --subject-store
    #[arg(long, value_name = "ID")]
    pub subject: Option<String>,
    /// Who opens the field, such as user:kim
    #[arg(long, value_name = "ACTOR")]
    pub who: String,
    /// Why: an HL7 PurposeOfUse code, such as HSYSADMIN or TREAT
    #[arg(long, value_name = "PURPOSE")]
    pub why: String,
    /// The file with the token, as text or bytes; without it, the standard input is read
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print the plaintext: text as it is, bytes in hexadecimal, anything else as JSON
    #[arg(long)]
    pub show_plaintext: bool,
}

#[derive(ClapArgs)]
pub struct Count {
    /// A map: count every source of it, and each column that it calls sealed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sqlite", "table", "column", "sql"])]
    pub map: Option<PathBuf>,
    /// An SQLite database; it is opened for reading only
    #[arg(long, value_name = "FILE", required_unless_present_any = ["map", "postgres", "sql"], conflicts_with = "postgres")]
    pub sqlite: Option<PathBuf>,
    /// A PostgreSQL database: its URL, without a password (PGPASSWORD and the passfile are read). With --map, that of its postgres: sources
    #[arg(long, value_name = "URL", conflicts_with = "sql")]
    pub postgres: Option<String>,
    /// The table
    #[arg(long, required_unless_present = "map")]
    pub table: Option<String>,
    /// The column
    #[arg(long, required_unless_present = "map")]
    pub column: Option<String>,
    /// The keyspace whose keyring should have the keys; may be repeated if a column has several tenants. A key that no such
    /// keyring has is marked, and the exit status is 1
    #[arg(long = "keyspace", value_name = "KEYSPACE", conflicts_with = "sql")]
    pub keyspaces: Vec<String>,
    /// Only print the SQL, for you to run. No database is needed
    #[arg(long, value_name = "DIALECT", conflicts_with = "sqlite")]
    pub sql: Option<Dialect>,
}

#[derive(ClapArgs)]
#[group(required = true, multiple = false)]
pub struct DdlFor {
    /// For PostgreSQL: a domain for a column that exists, in two steps. Seal what is in the column between them
    #[arg(long)]
    pub postgres: bool,
    /// For SQLite: a new column with a CHECK, or a gate for one that exists
    #[arg(long)]
    pub sqlite: bool,
    /// For MySQL and MariaDB: a new column with a CHECK
    #[arg(long)]
    pub mysql: bool,
}

#[derive(ClapArgs)]
pub struct Ddl {
    #[command(flatten)]
    pub database: DdlFor,
    /// The table: TABLE or SCHEMA.TABLE
    #[arg(long)]
    pub table: String,
    /// The column
    #[arg(long)]
    pub column: String,
    /// The length of the longest value, in bytes, not characters. For lists and structs, that of their JSON
    #[arg(long, value_name = "BYTES", required_unless_present_any = ["record_tag", "index"], conflicts_with_all = ["record_tag", "index"],
        value_parser = clap::value_parser!(u32).range(..=16_777_216))]
    pub max: Option<u32>,
    /// The field's block, which its values are padded to
    #[arg(long, value_name = "BYTES", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub block: u16,
    /// The column holds bytes (bytea, BLOB) instead of text
    #[arg(long)]
    pub bytes: bool,
    /// The column holds record tags instead of sealed fields
    #[arg(long)]
    pub record_tag: bool,
    /// For SQLite: triggers for a column that exists, instead of a new column
    #[arg(long, conflicts_with_all = ["postgres", "mysql", "index", "bytes"])]
    pub gate: bool,
    /// The name of the domain or constraint [default: rxseal_TABLE_COLUMN]
    #[arg(long, conflicts_with = "index")]
    pub name: Option<String>,
    /// The column holds values of an index of this kind
    #[arg(long, value_name = "KIND", requires = "bits", conflicts_with_all = ["record_tag", "bytes", "block"])]
    pub index: Option<IndexKind>,
    /// The bits of the index; once more for each former definition
    #[arg(long, requires = "index", value_parser = clap::value_parser!(u8).range(8..=128))]
    pub bits: Vec<u8>,
    /// The column that tells the records apart, for an index of several values in SQLite and MySQL
    #[arg(long, requires = "index", default_value = "id")]
    pub id: String,
    /// Its type in MySQL
    #[arg(long, requires = "index", default_value = "BIGINT")]
    pub id_type: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum IndexKind {
    /// One value of one field
    Whole,
    /// One value of 2 to 4 fields
    Compound,
    /// Several values, such as the parts of a name
    Parts,
    /// Several values of how a name sounds
    Sounds,
}

impl From<IndexKind> for Kind {
    fn from(kind: IndexKind) -> Self {
        match kind {
            IndexKind::Whole => Self::Whole,
            IndexKind::Compound => Self::Compound,
            IndexKind::Parts => Self::Parts,
            IndexKind::Sounds => Self::Sounds,
        }
    }
}

#[derive(Subcommand)]
pub enum Index {
    /// Say what indexes would give away and cost, from plaintext in CSV on the standard input
    Plan(PlanIndexes),
}

/// Say what indexes would give away and cost, from plaintext in CSV on the standard input
///
/// The first line names the columns. Only aggregates are printed, and counts below 20 as <20. Use real rows: made-up patients are too
/// even. The exit status is 1 if an index is refused.
#[derive(ClapArgs)]
pub struct PlanIndexes {
    /// The most rows that the table will ever have in one keyspace
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    pub rows: u32,
    /// An index, such as 'patient.last = family(last_name), bits 14, slots us-surnames/1'. Give all indexes of the record: together
    /// they tell more than each alone. Several columns are (family(last_name), date(born)) or family_parts(last_name, former). Bits
    /// that are left out follow from --rows; `unique` in their place is a check for uniqueness. The normalizers are date, dea, email,
    /// exact, family, given, id, ndc, npi, phone, ssn, family_parts, given_parts and sounds. The slots are us-surnames/1, us-given/1 or a file
    /// of --write-slots
    #[arg(long = "index", value_name = "INDEX", required = true)]
    pub indexes: Vec<String>,
    /// Why values may have more bits than the rows ask for. It accepts nothing else
    #[arg(long, value_name = "REASON")]
    pub accept: Option<String>,
    /// Write a slot table of the index from these rows into a new file, as Rust source. It shows forms that at least 50 rows have
    #[arg(long, value_name = "FILE", requires = "slots_id")]
    pub write_slots: Option<PathBuf>,
    /// The id of that table, such as our-names/1
    #[arg(long, value_name = "ID", requires = "write_slots")]
    pub slots_id: Option<String>,
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

const AFTER_HELP: &str = "`rxseal --help` lists the forms of root keys, examples and exit statuses.";

fn after_long_help() -> String {
    let exits: Vec<_> = STATUSES.iter().map(|status| format!("  {:<4}{}", status.exit, status.meaning)).collect();
    let exits = exits.join("\n");
    let built = |feature: &str, have: bool| {
        if have { "in this build".to_owned() } else { format!("not in this build; feature {feature}") }
    };
    format!(
        "\
Root keys:
  file:PATH
      A key file on this machine.
  env:VARIABLE
      The line of a key file, in an environment variable.
  aws-kms:KEY ({aws})
      AWS KMS: a key ARN, a key id or alias/NAME. Credentials come from the
      standard chain.
  pkcs11:token=LABEL;object=LABEL[?OPTIONS] ({pkcs11})
      An AES-256 key in an HSM, as a URI of RFC 7512; serial, slot-id and id
      also work. Quote it, because of the semicolon. Set RXSEAL_PKCS11_MODULE
      to the path of the HSM's library, and RXSEAL_PKCS11_PIN_FILE or
      RXSEAL_PKCS11_PIN.
      Options: module-path, pin-source, pin_env, deadline
  vault:https://HOST:8200/MOUNT/KEY[?OPTIONS] ({vault})
      The Transit engine of Vault or OpenBao. The command logs in with the
      first of these that is set: VAULT_TOKEN, VAULT_TOKEN_FILE, VAULT_ROLE_ID
      with VAULT_SECRET_ID. It also reads VAULT_NAMESPACE and VAULT_CACERT (a
      PEM file).
      Options: label, token_file, token_env, role_id with secret_id_env,
      namespace, ca_file, deadline

  An option applies to one root key and wins over the variable, so one command
  can use two Vaults or HSMs. A label tells two Vaults apart if their keys have
  the same mount and name:
    vault:https://vault2:8200/transit/phi-root?label=dc2&token_file=/run/token2

Stores:
  file:FOLDER
  sqlite:FILE
  postgres://HOST/DATABASE ({postgres})
      PGUSER, PGPASSWORD and the passfile are read.

The command never takes a secret as an argument, since other users of the
machine can read arguments.

Configuration file (--config or RXSEAL_CONFIG):
  store = \"file:/var/lib/pharmacy/keyrings\"
  roots = [\"vault:https://vault:8200/transit/phi-root\"]
  subject_store = \"sqlite:/var/lib/subjects/subjects.db\"
  shred_log = \"/var/lib/pharmacy/shredded.log\"
  backups_kept = \"30days\"

A first keyring:
  rxseal key-file create /etc/pharmacy/root.key
  export RXSEAL_STORE=file:/var/lib/pharmacy/keyrings
  export RXSEAL_ROOTS=file:/etc/pharmacy/root.key
  rxseal keyring init pharmacy-17
  rxseal keyring inspect pharmacy-17

A rotation:
  1. rxseal keyring stage pharmacy-17
  2. Wait 10 minutes, until every program has the new key. `promote` refuses
     before. If your programs set a longer max_staleness, wait that long, and
     pass it as --staged-for.
  3. rxseal keyring promote pharmacy-17
  The old key still opens what it sealed, so you can stop here. To destroy it,
  follow `Destroy the old key` in docs/RUNBOOKS.md.

Exit statuses (docs/COMMAND.md lists the codes of each):
{exits}",
        aws = built("aws-kms", cfg!(feature = "aws-kms")),
        pkcs11 = built("pkcs11", cfg!(feature = "pkcs11")),
        vault = built("vault", cfg!(feature = "vault")),
        postgres = built("postgres", cfg!(feature = "postgres")),
    )
}
