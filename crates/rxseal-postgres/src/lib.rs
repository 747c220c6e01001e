#![doc = include_str!("../README.md")]

mod count;
mod describe;
mod keyrings;
mod pool;
mod subjects;
mod trouble;
mod url;

pub use count::{count_index_postgres, count_postgres, scan_postgres};
pub use describe::{PostgresColumn, PostgresTable, describe_postgres};
pub use keyrings::PostgresStore;
pub use subjects::PostgresSubjectStore;

/// What our own crates share.
#[doc(hidden)]
pub mod __private {
    pub use crate::count::rows_by_keyspace;
    pub use crate::describe::tables_of;
    pub use crate::trouble::{too_late, trouble};
    pub use crate::url::parse_url;
}
