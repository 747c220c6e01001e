//! What `rxseal job` takes. Comments here are the help that an operator reads.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::MapFiles;

#[derive(Subcommand)]
pub enum Job {
    /// Print what a job would do to a table, and store it for `run`
    Plan(PlanJob),
    /// Work on a job until all of it is done. Ctrl-C ends after the chunk, and `run` goes on from there
    Run(RunJob),
    /// Show how far a job is, or all jobs
    Status {
        /// The job's name, as `plan` printed it; without it, every job is listed
        job: Option<String>,
        #[command(flatten)]
        files: MapFiles,
    },
    /// Let the workers of a job end after their chunk, on every machine
    Pause {
        /// The job's name
        job: String,
        #[command(flatten)]
        files: MapFiles,
    },
    /// Let `run` work again on a job that was paused or stopped
    Resume {
        /// The job's name
        job: String,
        #[command(flatten)]
        files: MapFiles,
    },
    /// List the rows that a job left as they are: id, field and reason, never a value
    Faults {
        /// The job's name
        job: String,
        /// Forget the faults and open their chunks again, after the rows were mended; `run` then looks at them anew
        #[arg(long)]
        retry: bool,
        #[command(flatten)]
        files: MapFiles,
    },
}

#[derive(ClapArgs)]
pub struct PlanJob {
    /// What to do with each row
    #[arg(long, value_name = "OPERATION")]
    pub op: Operation,
    /// The source, as the map has it: postgres:SCHEMA.TABLE or sqlite:FILE#TABLE. Needed if the map has several
    #[arg(long, value_name = "SOURCE")]
    pub at: Option<String>,
    /// The job's name [default: the operation, the table and a number]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How many rows a transaction writes
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub chunk_rows: u32,
    /// Do not ask: the triggers that the plan prints may fire for each row, and what --op unseal writes is readable
    #[arg(long)]
    pub yes: bool,
    /// Only print the plan, and store nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub who: WhoAndWhy,
    #[command(flatten)]
    pub files: MapFiles,
}

#[derive(ClapArgs)]
pub struct RunJob {
    /// The job's name, as `plan` printed it
    pub job: String,
    /// How many chunks are worked on at once, each on a connection of its own. SQLite has one writer, so one there
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: u16,
    /// At most so many rows a second, by all of these workers together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rows_per_second: Option<u32>,
    /// In PostgreSQL: wait while a standby is further behind than this; 0s does not look
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10s")]
    pub max_replica_lag: Duration,
    /// Work only between these times of the day (UTC), such as 22:00-05:00
    #[arg(long, value_name = "HH:MM-HH:MM")]
    pub between: Option<String>,
    /// Confirm --op unseal: what it writes is readable to everybody who reads the table
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub who: WhoAndWhy,
    #[command(flatten)]
    pub files: MapFiles,
}

/// Who unseals, and why: the observer hears of it.
#[derive(ClapArgs)]
pub struct WhoAndWhy {
    /// Of --op unseal: who opens the fields, such as user:kim
    #[arg(long, value_name = "ACTOR")]
    pub who: Option<String>,
    /// Of --op unseal: why, an HL7 PurposeOfUse code, such as HSYSADMIN
    #[arg(long, value_name = "PURPOSE")]
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Seal plaintext
    Backfill,
    /// Move every token to the primary key, after its record tag was verified
    Reseal,
    /// Compute the index values again
    Reindex,
    /// Write plaintext back in place of tokens, with --who and --why
    Unseal,
    /// Give every row its patient's own key
    Subject,
}
