//! How far a job is, and how it ended.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rxseal::Error;
use serde::Serialize;

use crate::trouble::refused;

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Workers may take chunks.
    Running,
    /// An operator paused it: workers end after their chunk.
    Paused,
    /// It stopped by itself, because the number of plaintext values rose: somebody writes plaintext.
    Stopped,
    /// The count at the end was clean.
    Done,
}

impl State {
    /// Its name, such as `running`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found =
            [Self::Running, Self::Paused, Self::Stopped, Self::Done].into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| refused("rxseal_job has a state that this release does not know"))
    }
}

/// What was done to rows. All numbers are of rows but `sealed` and `unsealed`, which are of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows that were read.
    pub rows: u64,
    /// Rows that were written.
    pub written: u64,
    /// Rows that were already as the job wants them, or were gone when it came to write them.
    pub skipped: u64,
    /// How often a row had been changed by another program, and was read again.
    pub retried: u64,
    /// Rows that were left as they were, and are listed as faults.
    pub failed: u64,
    /// Values that were plaintext and are sealed.
    pub sealed: u64,
    /// Values that were sealed and are plaintext.
    pub unsealed: u64,
}

/// What a worker did with one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkDone {
    /// The chunk's number.
    pub no: u32,
    /// What was done to its rows.
    pub counts: Counts,
    /// How long it took, with reading and sealing.
    pub took: Duration,
    /// For how long it kept other programs from writing its rows.
    pub held: Duration,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The job's name.
    pub job: String,
    /// What it does.
    pub operation: crate::spec::Operation,
    /// The source in the map.
    pub at: String,
    /// What it is doing.
    pub state: State,
    /// How many rows the table had when the job was planned.
    pub rows_total: u64,
    /// How many chunks there are.
    pub chunks: u32,
    /// How many of them are done.
    pub chunks_done: u32,
    /// What the done chunks did.
    pub counts: Counts,
    /// How many faults are listed.
    pub faults: u64,
    /// The approvals that it got, the oldest first. Only an unseal has any.
    pub approvals: Vec<ApprovalUse>,
    /// When it was planned, as RFC 3339.
    pub created: String,
}

/// An [`Approval`](crate::Approval) that a job has, and how much of it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApprovalUse {
    /// Its name.
    pub name: String,
    /// How many values may be opened under it.
    pub values: u64,
    /// How many were, with those of chunks that workers are at, or were at when they were lost.
    pub opened: u64,
    /// When the job got it, as RFC 3339.
    pub since: String,
}

impl ApprovalUse {
    /// How many values may still be opened.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.values.saturating_sub(self.opened)
    }
}

/// What the count at the end found, over the whole table and not by the list of chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ended {
    /// Values of sealed columns that are no tokens. A value in which a token is only a part is one of them.
    pub plaintext: u64,
    /// Of these, the ones that begin as a token does. It may be more, since a text can have several of them.
    pub look_alikes: u64,
    /// Tokens under the key that the job seals with.
    pub under_target: u64,
    /// Tokens under other keys, by the key's id.
    pub under_others: Vec<(String, u64)>,
    /// Rows without a value, of all sealed columns together.
    pub nulls: u64,
    /// Rows whose column of the keyspace is NULL, or has what no keyspace can be called. No job works on them.
    pub rows_without_keyspace: u64,
    /// Rows of other keyspaces, each of which needs a job of its own.
    pub rows_of_other_keyspaces: u64,
    /// Faults that are listed.
    pub faults: u64,
    /// Chunks that are not done.
    pub chunks_left: u32,
    /// Whether there is more plaintext than when the job was planned, without what it sealed. Then somebody writes plaintext.
    pub plaintext_rose: bool,
    /// What is left to do, each as a sentence. Nothing is left if it is empty.
    pub left: Vec<String>,
}

impl Ended {
    /// Whether all of it was done. Only then has a job succeeded.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.left.is_empty()
    }
}
