#![doc = include_str!("../README.md")]

mod canary;
mod cell;
mod file;
mod finding;
mod keys;
mod kind;
mod known;
mod report;
mod rules;
mod scan;
mod sealed;
mod table;
mod text;

pub use canary::{Canaries, Canary, CanaryError};
pub use cell::{SealedCell, SealedPlace};
pub use finding::{Finding, Undecided};
pub use kind::{Certainty, Kind};
pub use known::{KnownValues, TooShort};
pub use report::{Report, Verdict};
pub use scan::Scan;

/// For the other crates of rxseal. It may change with any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::table::is_plain_name;
}
