//! Jobs over tables of PostgreSQL.
//!
//! The list of chunks is a table beside the data, so a chunk is taken, its rows are written and it is ticked off in one transaction. If a
//! worker is killed, its chunk is as it was, and another worker takes it.

mod approval;
mod chunk;
mod count;
mod job;
mod lag;
mod numbers;
mod preflight;
mod reading;
mod session;
mod slice;
mod statements;
mod table;
mod tables;
mod trouble;
mod worker;
mod writing;

pub use job::Job;
pub use preflight::preflight;
pub use worker::Worker;
