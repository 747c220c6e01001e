//! Jobs over tables of SQLite: the database of the table is also the queue, so a chunk and its rows are one transaction.
//!
//! A [`Job`] is planned once, and a [`Worker`] works on it, chunk by chunk. Calls block, and need no runtime unless the store of subject keys does.
//! The command `rxseal job` does the same.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use rxseal::schema::Schema;
//! use rxseal_jobs::sqlite::{Job, Worker, preflight};
//! use rxseal_jobs::{DeclaredWork, Operation, PlanOptions, Spec, WorkerOptions};
//! use rxseal_map::Map;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
//! let map = Map::read("rxseal-map.toml")?;
//! let schema = Schema::parse(&std::fs::read_to_string("rxseal-schema.json")?)?;
//! let source = map.source("sqlite:pharmacy.db#rx").ok_or("the map has no such source")?;
//! let record = schema.record(source.record()).ok_or("the schema has no such record type")?;
//! let spec = Spec::new(Operation::Backfill, source, record, &keys)?;
//!
//! println!("{}", preflight("pharmacy.db", &spec, &[])?);
//! let job = Job::plan("pharmacy.db", "seal-rx", &spec, &PlanOptions::default())?;
//!
//! let work = Arc::new(DeclaredWork::new(&spec, record, &keys)?);
//! let mut worker = Worker::join(&job, &spec, work, WorkerOptions::default())?;
//! worker.run(|done| {
//!     println!("chunk {}: {} rows", done.no, done.counts.rows);
//!     true // go on
//! })?;
//! let ended = job.finish(&spec)?;
//! assert!(ended.is_clean(), "{:?}", ended.left);
//! # Ok(())
//! # }
//! ```

mod approval;
mod end;
mod held;
mod held_row;
mod job;
mod numbers;
mod place;
mod preflight;
mod statements;
mod table;
mod tables;
mod trouble;
mod worker;

pub use job::Job;
pub use preflight::preflight;
pub use worker::Worker;
