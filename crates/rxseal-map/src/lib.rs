#![doc = include_str!("../README.md")]

mod at;
mod check;
mod clear;
mod count;
mod finding;
mod map;
mod mistake;
mod place;
mod source;

pub use at::At;
pub use clear::ClearKind;
pub use count::{
    Addresses, ColumnCounts, IndexPlaceCounts, NoEvidence, PlaceCounts, SourceCounts, count_index_values, count_tokens,
};
pub use finding::Finding;
pub use map::{Keyspace, Map};
pub use mistake::{Mistake, Mistakes};
pub use place::Place;
pub use source::{Clear, Empty, Indexed, Sealed, Source};
