//! The bytes (docs/FORMAT.md): the vectors, the golden files of earlier releases, and the Python reference, each through every
//! entry point.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod files;
mod golden;
mod in_place;
mod interop;
mod lengths;
mod open;
mod opened;
mod properties;
mod vectors;
