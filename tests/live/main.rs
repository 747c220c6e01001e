//! Root keys and stores against real servers, which `.ci/servers` starts; and `faults`, which needs none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod aws_kms;
#[path = "../stores/column.rs"]
mod column;
mod columns;
mod faults;
mod faulty;
#[path = "../stores/index_cells.rs"]
mod index_cells;
mod index_counts;
mod postgres;
mod root_keys;
mod vault;
