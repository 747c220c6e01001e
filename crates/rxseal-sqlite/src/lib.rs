#![doc = include_str!("../README.md")]

mod count;
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
