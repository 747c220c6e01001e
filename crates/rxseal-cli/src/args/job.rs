//! What `rxseal job` takes. Comments here are the help that an operator reads.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::MapFiles;

#[derive(Subcommand)]
pub enum Job {
    /// Look at a table, print what a job would do to it, and store the job for `run`
    Plan(PlanJob),
    /// Work on a job until all of it is done. Ctrl-C ends after the chunk, and the next `run` goes on from there
    Run(RunJob),
    /// Show how far a job is, or list all jobs
    Status {
        /// The job's name; without it, every job is listed
        job: Option<String>,
        #[command(flatten)]
        files: JobPlace,
    },
    /// Let the workers of a job end after their chunk, on every machine
    Pause {
        /// The job's name
        job: String,
        #[command(flatten)]
        files: JobPlace,
    },
    /// Let `run` go on with a job that was paused. One that stopped, since somebody wrote plaintext, goes over the whole table again
    Resume {
        /// The job's name
        job: String,
        #[command(flatten)]
        files: JobPlace,
    },
    /// List the rows that a job left as they are: id, field and reason, never a value. The exit status is 1 if there are any
    Faults {
        /// The job's name
        job: String,
        /// Forget the faults after the rows were mended, and go over the whole table again with the next `run`. What is done already
        /// is not written again
        #[arg(long)]
        retry: bool,
        #[command(flatten)]
        files: JobFiles,
    },
}

/// Where jobs are.
#[derive(ClapArgs)]
pub struct JobPlace {
    /// The map: the file that says in which tables and files sealed data lies [env: RXSEAL_MAP] [default: rxseal-map.toml]
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// The PostgreSQL database of the map's postgres: sources: its URL, without a password [env: RXSEAL_POSTGRES]
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
}

impl From<JobPlace> for JobFiles {
    fn from(JobPlace { map, postgres }: JobPlace) -> Self {
        Self { map: MapFiles { map, schema: None, postgres }, keyspace: None }
    }
}

/// Where the table is, and what is in it.
#[derive(ClapArgs)]
pub struct JobFiles {
    #[command(flatten)]
    pub map: MapFiles,
    /// The keyspace, if the map has several
    #[arg(long, value_name = "KEYSPACE")]
    pub keyspace: Option<String>,
}

#[derive(ClapArgs)]
pub struct PlanJob {
    /// The job's name [default: the operation, the table and a number]
    pub job: Option<String>,
    /// What to do with each row
    #[arg(long, value_name = "OPERATION")]
    pub op: JobOperation,
    /// The source, as the map names it, such as postgres:public.rx or sqlite:pharmacy.db#rx. Needed if the map has several
    #[arg(long, value_name = "SOURCE")]
    pub at: Option<String>,
    /// The record type. Needed if the map has several in this table
    #[arg(long, value_name = "TYPE")]
    pub record: Option<String>,
    /// How many rows are in a chunk, which is read and written in one transaction
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub chunk_rows: u32,
    /// Accept a concern that the plan asks about, such as trigger:rx_audit; may be repeated. On a terminal the command asks
    #[arg(long = "accept", value_name = "CONCERN")]
    pub accepted: Vec<String>,
    /// Only print what the job would do, and store nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: JobFiles,
}

#[derive(ClapArgs)]
pub struct RunJob {
    /// The job's name
    pub job: String,
    /// How many chunks are worked on at once, each on a connection of its own. SQLite has one writer at a time, so one is right there
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: u16,
    /// At most so many rows a second, by all workers of this command together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rows_per_second: Option<u32>,
    /// In PostgreSQL: wait while a replica is further behind than this, such as 30s. `none` does not look
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_lag)]
    pub max_replica_lag: Lag,
    /// Work only at these hours, by the clock of the database, such as 22:00-05:00
    #[arg(long, value_name = "HOURS")]
    pub between: Option<String>,
    /// For unseal and add-subject: who opens the fields, such as user:kim
    #[arg(long, value_name = "ACTOR", requires = "why")]
    pub who: Option<String>,
    /// For unseal and add-subject: why, an HL7 PurposeOfUse code, such as HSYSADMIN
    #[arg(long, value_name = "PURPOSE", requires = "who")]
    pub why: Option<String>,
    /// For unseal and add-subject: the list of frozen actors, who open nothing; `rxseal budget freeze` changes it [env: RXSEAL_FROZEN]
    #[arg(long, value_name = "FILE")]
    pub frozen: Option<PathBuf>,
    /// For unseal: how many values may be opened, and under which name that was approved, such as CHG-1234=10000. The job keeps it and counts
    /// what all runs open; a later run without this option goes on with it
    #[arg(long, value_name = "NAME=VALUES")]
    pub approval: Option<String>,
    /// For unseal: confirm that whoever reads the table reads what the job writes. On a terminal the command asks
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub files: JobFiles,
}

/// How far a replica may be behind, or no limit.
#[derive(Clone, Copy, Debug)]
pub struct Lag(pub Option<Duration>);

fn parse_lag(text: &str) -> Result<Lag, String> {
    if text == "none" {
        return Ok(Lag(None));
    }
    humantime::parse_duration(text).map(|lag| Lag(Some(lag))).map_err(|_| "write it as 10s, or none".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobOperation {
    /// Seal plaintext
    Backfill,
    /// Move every token to the keyring's primary key
    Reseal,
    /// Compute index values again. They need the normalisers of your program, which runs this with the crate rxseal-jobs
    Reindex,
    /// Write plaintext back in place of tokens: `run` asks for --who, --why, --approval and --audit-log
    Unseal,
    /// Seal again with the patient's own key: `run` asks for --who, --why and --audit-log
    AddSubject,
}
