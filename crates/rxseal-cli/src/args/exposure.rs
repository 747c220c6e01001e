//! What `rxseal exposure` takes. Comments here are the help that an operator reads.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use rxseal_exposure::{Day, Stolen};

use super::MapFiles;

#[derive(ClapArgs)]
pub struct Exposure {
    /// What was stolen; repeat it for each thing: data:COPY=SOURCE, data:SOURCE@TIME, key:ID, kek:FINGERPRINT, keyring:FILE, root:NAME,
    /// host:NAME@FROM..TO, actor:ID@FROM..TO, subject-keys:STORE, subject-keys:copy:STORE or audit:DIR
    #[arg(long, value_name = "THING", required = true)]
    pub stolen: Vec<Stolen>,
    /// The day on which the theft was discovered, such as 2026-09-02
    #[arg(long, value_name = "DAY")]
    pub discovered: Day,
    /// The folder that the report is written into, which must not exist. Its list of patients is PHI
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The report's name, such as 2026-0007
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Who makes the report, and states what is assumed
    #[arg(long, value_name = "WHO")]
    pub by: Option<String>,
    #[command(flatten)]
    pub map: MapFiles,
    /// The folder with the log of openings; repeat it if each host has a log of its own. One in PostgreSQL is exported first, by `rxseal audit export`
    #[arg(long = "audit", value_name = "DIR")]
    pub audits: Vec<PathBuf>,
    /// A key that verifies checkpoints of the log, as `rxseal audit keygen` prints it, or a file with one on each line. Repeat it for several hosts
    #[arg(long = "key", value_name = "KEY", requires = "audits")]
    pub keys: Vec<String>,
    /// The folder or file with the checkpoints that were kept elsewhere: once for each --audit, in the same order. Without it, what the log lacks is undecided
    #[arg(long, value_name = "PATH", requires = "audits")]
    pub checkpoints: Vec<PathBuf>,
    /// The log of the key service, as JSON lines: each unlocking of a keyring must be in both
    #[arg(long, value_name = "FILE", requires = "audits")]
    pub kms_log: Option<PathBuf>,
    /// A keyring file that was not taken: it says which keys there are. A token under a key that nobody knows is undecided
    #[arg(long = "keyring", value_name = "FILE")]
    pub keyrings: Vec<PathBuf>,
    /// The keyspace whose stored keyring says it; may be repeated. No root key is needed
    #[arg(long = "keyspace", value_name = "KEYSPACE")]
    pub keyspaces: Vec<String>,
    /// You state that no patient's own key was taken. Without it, and without subject-keys:STORE, that is undecided
    #[arg(long)]
    pub subject_keys_safe: bool,
    /// Something else that the report rests on, for its page; may be repeated
    #[arg(long, value_name = "TEXT")]
    pub assume: Vec<String>,
    /// The readable column that says in which state or jurisdiction a patient lives: one that the map calls a place
    #[arg(long, value_name = "COLUMN")]
    pub jurisdiction: Option<String>,
}
