//! How a job is planned, and how a worker works.

use std::time::Duration;

use crate::limits::Limits;

/// How a job is planned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanOptions {
    /// How many rows a worker reads and writes in one transaction.
    pub chunk_rows: u32,
    /// The [answers](crate::Concern::answer) to what the operator has looked at and accepts, such as `trigger:rx_audit`.
    pub accepted: Vec<String>,
    /// The other tables that the map names in this database. A view or a history table among them is the map's business, and no question.
    pub named: Vec<String>,
}

impl Default for PlanOptions {
    /// Chunks of 2,000 rows, which take 20 to 50 milliseconds. Nothing is accepted.
    fn default() -> Self {
        Self { chunk_rows: 2_000, accepted: Vec::new(), named: Vec::new() }
    }
}

/// How a worker works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// What the list of chunks calls it.
    pub name: String,
    /// What it holds itself to.
    pub limits: Limits,
    /// The name of the [`Approval`](crate::Approval) under which it unseals. `None` is the one that the job got last.
    pub approval: Option<String>,
    /// No statement takes longer: PostgreSQL cancels it, and the chunk is done again.
    pub statement_timeout: Duration,
    /// PostgreSQL ends the session of a worker that does nothing for so long within a chunk, and another worker takes the chunk.
    pub idle_timeout: Duration,
    /// How often it counts the table while it works, to see whether plaintext became more.
    pub look_every: Duration,
}

impl Default for WorkerOptions {
    /// Named after its process. A statement may take a minute, and a worker may be silent for 30 seconds. It counts every 10 minutes.
    fn default() -> Self {
        Self {
            name: format!("process {}", std::process::id()),
            limits: Limits::default(),
            approval: None,
            statement_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30),
            look_every: Duration::from_secs(600),
        }
    }
}
