#![doc = include_str!("../README.md")]

// `indexes!` names this crate by its name, also here.
extern crate self as rxseal_search;

mod query;
mod sought;
mod written;

pub mod normal;
pub mod slots;

pub use query::{Find, IndexQuery};
pub use rxseal_derive::indexes;
pub use sought::{SearchIndex, Sought};

/// What `indexes!` writes. No program names anything of it.
#[doc(hidden)]
pub mod __private {
    pub use crate::sought::{One, is_by};
    pub use crate::written::{form, parts};
}
