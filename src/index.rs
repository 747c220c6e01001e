//! Search: what an index is, and the values that rows are found by (FORMAT 15).
//!
//! An *index value* is stored in a column beside a record. It is a short keyed hash of a normal form, such as a birth date: rows of one
//! birth date have one value, and so do some strangers. A search asks for the value, opens the *candidates* that it finds, and keeps the
//! *hits*. The crate [rxseal-search](https://docs.rs/rxseal-search) declares indexes, makes normal forms and finds hits. This module has
//! what touches keys.

mod again;
mod column;
mod declared;
mod definition;
mod fields;
mod forms;
mod indexed;
mod indexer;
mod of_record;
mod owner;
mod prepared;
mod reading;
mod schema;
#[cfg(test)]
mod separation_tests;
mod slots;
mod stored;
mod value;
#[cfg(test)]
mod vector_tests;
mod versioned;

pub use crate::key::IndexSchema;
pub(crate) use again::{Again, index_again};
pub use column::IndexColumn;
pub use declared::Index;
#[doc(hidden)]
pub use declared::check_index;
pub use definition::{Definition, Kind};
#[doc(hidden)]
pub use fields::check_searchable;
pub use forms::Forms;
pub use indexed::{EachIndex, IndexedRecord, NotIndexed};
pub use indexer::Indexer;
pub(crate) use of_record::stored_in;
pub use owner::SlotOwner;
pub use schema::IndexPrefix;
pub use slots::SlotTable;
pub use stored::StoredIndex;
pub(crate) use value::MAX_VALUES;
pub use value::{IndexSet, IndexValue};

pub use crate::field::Search;
