//! What can be said of logs and budgets. Comments here are the help that an operator reads.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::change::By;

#[derive(Subcommand)]
pub enum Audit {
    /// Check that nobody changed a log, and that nothing is missing; needs no key of the data
    ///
    /// The exit status is 0 for a log that is whole, 1 if somebody changed it, and 7 if events may be missing: a killed program, a gap, a tail
    /// that no checkpoint covers, or no checkpoints to compare with.
    Verify {
        /// The folder with the log, or postgres://HOST/DATABASE
        log: PathBuf,
        /// A key that verifies checkpoints, as `rxseal audit keygen` prints it, or a file with one on each line. Repeat it for several hosts
        #[arg(long = "key", value_name = "KEY", required = true)]
        keys: Vec<String>,
        /// The folder or file with the checkpoints that were kept elsewhere. Without it a log proves accidents only
        #[arg(long, value_name = "PATH")]
        checkpoints: Option<PathBuf>,
        /// The log of the key service, as JSON lines: each unlocking of a keyring must be in both
        #[arg(long, value_name = "FILE")]
        kms_log: Option<PathBuf>,
    },
    /// Print events
    Show {
        /// The folder with the log, or postgres://HOST/DATABASE
        log: PathBuf,
        #[command(flatten)]
        filter: Filter,
    },
    /// Print who opened the records of a patient
    Accesses {
        /// The folder with the log, or postgres://HOST/DATABASE
        log: PathBuf,
        /// The patient: the subject's id, or the id of a record that has no subject
        #[arg(long, value_name = "ID")]
        subject: String,
        #[command(flatten)]
        filter: Filter,
    },
    /// Print to whom the data of a patient was disclosed, for an accounting of disclosures (45 CFR 164.528)
    Disclosures(Disclosures),
    /// Print what waits for a review: openings that broke the glass, and acts without an end. Or say that you reviewed some
    ///
    /// The exit status is 1 while something waits.
    Review(Review),
    /// Print events as JSON lines or CSV for other tools, or write a log in PostgreSQL into files
    Export(Export),
    /// Print the SQL of a log in PostgreSQL: its tables, and what two roles may do
    Ddl {
        /// The role of the programs: it adds lines, and reads none
        #[arg(long, value_name = "ROLE")]
        writer: String,
        /// The role of whoever verifies and looks things up: it reads lines, and adds none
        #[arg(long, value_name = "ROLE")]
        reader: String,
    },
    /// Make the key that signs checkpoints, and the key that verifies them, which is printed and kept beside it
    Keygen {
        /// The name that checkpoints carry, such as the host's: printable ASCII without space and plus
        #[arg(long)]
        name: String,
        /// The file of the key, which must not exist. Only its owner may read it. The key that verifies gets the same name with the
        /// ending .pub
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(ClapArgs)]
pub struct Disclosures {
    /// The folder with the log, or postgres://HOST/DATABASE
    pub log: PathBuf,
    /// The patient: the subject's id, or the id of a record that has no subject
    #[arg(long, value_name = "ID")]
    pub subject: String,
    /// The keyspace: two of them may have patients with one id
    #[arg(long)]
    pub keyspace: Option<String>,
    /// Those of so much time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "6years")]
    pub since: Duration,
    /// As a page for the patient, or for a spreadsheet
    #[arg(long = "format", value_enum, value_name = "FORMAT")]
    pub page: Option<Page>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Page {
    Csv,
    Html,
}

#[derive(ClapArgs)]
pub struct Review {
    /// The logs: folders, or postgres://HOST/DATABASE. The command's own log (--audit-log) is read too
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// An event that you reviewed, as the list names it; may be repeated. It must be of somebody else
    #[arg(long, value_name = "EVENT")]
    pub done: Vec<String>,
    #[command(flatten)]
    pub by: By,
}

#[derive(ClapArgs)]
pub struct Export {
    /// The folder with the log, or postgres://HOST/DATABASE
    pub log: PathBuf,
    /// One JSON object for each event, one row for each record of an event, or resources of FHIR
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Form,
    /// Only those of so much time, such as 7days
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,
    /// Write a log in PostgreSQL into files in this folder, line by line, which every verifier of files reads. It has no log yet
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["format", "since"])]
    pub to: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    #[default]
    Json,
    Csv,
    /// FHIR R4 resources of the type AuditEvent, one a line (NDJSON): one for each patient of an event
    Fhir,
}

/// Which events are printed
#[derive(ClapArgs)]
pub struct Filter {
    /// Only those of this actor
    #[arg(long, value_name = "ACTOR")]
    pub actor: Option<String>,
    /// Only those that broke the glass
    #[arg(long)]
    pub break_glass: bool,
    /// Only openings that did not succeed, or were refused
    #[arg(long)]
    pub failed: bool,
    /// Only those of so much time, such as 7days
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,
}

#[derive(Subcommand)]
pub enum Budget {
    /// Freeze an actor: programs that read the list refuse it within 5 seconds
    Freeze {
        /// The actor, such as user:kim.rph
        actor: String,
        /// The file with the list
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        #[command(flatten)]
        by: By,
    },
    /// Take an actor off the list
    Unfreeze {
        /// The actor, such as user:kim.rph
        actor: String,
        /// The file with the list
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        #[command(flatten)]
        by: By,
    },
    /// Suggest budgets from what a log of at least 28 days says: three times the most of each program, and of people whom the preset would refuse
    Suggest {
        /// The folder with the log, or postgres://HOST/DATABASE
        log: PathBuf,
        /// Look at so much time
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "28days")]
        within: Duration,
    },
    /// Print how many different patients each actor opened in the last hour and day, and who was refused
    Status {
        /// The folder with the log, or postgres://HOST/DATABASE
        log: PathBuf,
        /// The file with the list of frozen actors
        #[arg(long, value_name = "FILE")]
        list: Option<PathBuf>,
    },
    /// Print who is frozen
    Frozen {
        /// The file with the list
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
    },
}
