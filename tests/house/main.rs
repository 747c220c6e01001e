//! Proves facts about this repository that a compiler does not check: its layers and files, and that its texts are
//! still true. It needs no build of the library's features, so run it first after a change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod contributing;
mod crates;
mod guide;
mod layering;
mod links;
mod names;
mod readme;
mod workspace;
