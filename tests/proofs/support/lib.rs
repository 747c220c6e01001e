//! What the programs of this package share.
#![allow(clippy::unwrap_used)]

pub mod keys;
