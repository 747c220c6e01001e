#![doc = include_str!("../README.md")]

mod addresses;
mod at;
mod check;
mod clear;
mod count;
mod counts;
mod evidence;
mod finding;
mod keyspace;
mod map;
mod mistake;
mod place;
mod read;
mod said;
mod source;

pub use addresses::Addresses;
pub use at::At;
pub use clear::ClearKind;
pub use count::{count_index_values, count_tokens};
pub use counts::{ColumnCounts, IndexPlaceCounts, PlaceCounts, SourceCounts};
pub use evidence::NoEvidence;
pub use finding::Finding;
pub use keyspace::Keyspace;
pub use map::Map;
pub use mistake::{Mistake, Mistakes};
pub use place::Place;
pub use read::{JsonValue, SourceRead, Spot, Value, Visitor, read_source};
pub use source::{Clear, Empty, Indexed, Sealed, Source};

/// What our own crates and the command share. No part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::read::other_tables;
    pub use crate::said::said;
}
