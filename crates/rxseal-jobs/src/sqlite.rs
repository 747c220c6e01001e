//! Jobs over tables of SQLite: the database of the table is also the queue, so a chunk and its rows are one transaction.
//!
//! A [`Job`] is planned once, and a [`Worker`] works on it, chunk by chunk. Calls block.

mod end;
mod held;
mod job;
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
