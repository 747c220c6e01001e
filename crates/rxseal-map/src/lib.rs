#![doc = include_str!("../README.md")]

mod at;
mod clear;
mod map;
mod mistake;
mod place;
mod source;

pub use at::At;
pub use clear::ClearKind;
pub use map::{Keyspace, Map};
pub use mistake::{Mistake, Mistakes};
pub use place::Place;
pub use source::{Clear, Empty, Indexed, Sealed, Source};
