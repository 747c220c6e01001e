#![doc = include_str!("../README.md")]

mod count;
mod data_file;
mod database;
mod describe;
mod keyrings;
mod subjects;
mod trouble;
mod wait;

pub use count::{Cell, count_index_sqlite, count_sqlite, scan_sqlite};
pub use describe::{SqliteColumn, SqliteTable, describe_sqlite};
pub use keyrings::SqliteStore;
pub use subjects::SqliteSubjectStore;

/// For the other crates of rxseal. It may change with any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::count::{add_value, rows_by_keyspace};
    pub use crate::data_file::{open_to_read, open_to_write};
    pub use crate::describe::filled_tables;
    pub use crate::trouble::trouble;
    pub use crate::wait::wait_from_now;
}
