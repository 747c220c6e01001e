#![doc = include_str!("../README.md")]

mod query;
mod sought;
mod written;

pub mod normal;
pub mod reindex;
pub mod slots;

pub use query::{Find, IndexQuery};
#[doc = include_str!("indexes.md")]
pub use rxseal_derive::indexes;
pub use sought::{SearchIndex, Sought};

/// What `indexes!` writes. No program names anything of it.
#[doc(hidden)]
pub mod __private {
    pub use crate::sought::{Ask, AskAny, Normalizers, One, is_by};
    pub use crate::written::{form, parts};
}
