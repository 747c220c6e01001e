//! The common part of this package's programs.
#![allow(clippy::unwrap_used)]

pub mod keys;
