//! What `rxseal evidence` takes. Comments here are the help that an operator reads.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::MapFiles;
use super::change::Who;

#[derive(Subcommand)]
pub enum Evidence {
    /// Write into a new folder what shows that data is encrypted and where its keys are, signed and dated by the audit log
    ///
    /// No keyring is unlocked. The exit status is 0 if the evidence is complete, 1 if it has a red line, and 7 if something is not known. The
    /// folder is written in each of these cases.
    Make(Box<MakeEvidence>),
    /// Check that no file of a pack was changed, added or removed since it was made
    ///
    /// First it prints what the pack says of its day: complete, open or red. The exit status does not say that again: it is 0 if the pack is as it
    /// was made, red or not, and 1 if it is not. With --log it is 7 if nothing proves on which day that was.
    Verify {
        /// The folder of the pack
        folder: PathBuf,
        /// A key that verifies, as `rxseal audit keygen` prints it, or a file with one on each line. Repeat it for several
        #[arg(long = "key", value_name = "KEY", required = true)]
        keys: Vec<String>,
        /// The log of the command that made it: folder, or postgres://HOST/DATABASE. Then the pack must be in it
        #[arg(long, value_name = "LOG")]
        log: Option<PathBuf>,
        /// Where the checkpoints of that log were kept elsewhere. Without them nothing proves on which day the pack was made
        #[arg(long, value_name = "PATH", requires = "log")]
        checkpoints: Option<PathBuf>,
    },
}

#[derive(ClapArgs)]
pub struct MakeEvidence {
    /// The folder of the pack, which must not exist
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    #[command(flatten)]
    pub map: MapFiles,
    /// A keyspace whose keyring belongs to the data; may be repeated [default: those that the map names]
    #[arg(long = "keyspace", value_name = "KEYSPACE")]
    pub keyspaces: Vec<String>,
    /// A log of openings: a folder, or postgres://HOST/DATABASE; may be repeated. The command's own log (--audit-log) is read too
    #[arg(long = "log", value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Where the checkpoints of these logs were kept elsewhere: once for each --log, in the same order
    #[arg(long, value_name = "PATH", requires = "logs")]
    pub checkpoints: Vec<PathBuf>,
    /// A key that verifies checkpoints, or a file with one on each line; may be repeated. That of --audit-key is known
    #[arg(long = "key", value_name = "KEY")]
    pub keys: Vec<String>,
    /// The log of the key service, as JSON lines: each unlocking in it must be in one of the logs
    #[arg(long, value_name = "FILE")]
    pub kms_log: Option<PathBuf>,
    /// The answer of `rxseal --json scan`, in a file. Without it the sources of the map are scanned now
    #[arg(long, value_name = "FILE")]
    pub scan: Option<PathBuf>,
    /// A program that seals, or its Cargo.lock: the pack has its SHA-256. May be repeated
    #[arg(long = "program", value_name = "FILE")]
    pub programs: Vec<PathBuf>,
    /// What no program sees: apart=yes or no (every root key is apart from the data), observed=yes or no (every program keeps an audit log),
    /// data-at=TEXT, root-keys-at=TEXT, keyrings-at=TEXT, backups-at=TEXT. May be repeated
    #[arg(long = "stated", value_name = "TOPIC=TEXT")]
    pub stated: Vec<String>,
    /// Who states that [default: who runs the command]
    #[arg(long, value_name = "NAME", requires = "stated")]
    pub stated_by: Option<String>,
    #[command(flatten)]
    pub who: Who,
}
