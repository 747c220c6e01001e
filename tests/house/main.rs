//! Proves what a compiler does not check of this repository: its layers and files, and that its texts are still true. Needs no build of
//! the library's features, so it is the first to run after a change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod contributing;
mod crates;
mod layering;
mod links;
mod names;
mod readme;
mod workspace;
