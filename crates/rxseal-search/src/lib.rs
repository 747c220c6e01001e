#![doc = include_str!("../README.md")]

mod days;
mod hits;
mod like;
mod query;
mod sought;
mod spelling;
mod written;

pub mod normal;
pub mod plan;
pub mod reindex;
pub mod slots;

pub use days::{YearOr90Plus, year_or_90_plus};
pub use hits::Hits;
pub use like::Like;
pub use query::{Find, IndexQuery};
#[doc = include_str!("indexes.md")]
pub use rxseal_derive::indexes;
pub use sought::{SearchIndex, Sought};

/// What `indexes!` writes. No program names anything of it.
#[doc(hidden)]
pub mod __private {
    pub use crate::days::AsDay;
    pub use crate::hits::{OpenPage, Records, Rows};
    pub use crate::sought::{Ask, AskAny, ByDate, BySound, Normalizers, One, is_by};
    pub use crate::written::{form, parts};
}
