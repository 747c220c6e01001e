//! A log in tables of PostgreSQL: writing it, and reading it.

mod log;
mod reader;
mod rows;
mod session;
mod trouble;

pub use log::PostgresLog;
pub use reader::PostgresReader;
