#![doc = include_str!("../README.md")]

mod count;
mod database;
mod keyrings;
mod subjects;
mod trouble;
mod wait;

pub use count::{count_index_sqlite, count_sqlite};
pub use keyrings::SqliteStore;
pub use subjects::SqliteSubjectStore;
