//! Fields in other crates' output: every format of serde, serde_with, and columns of databases. An error says what went
//! wrong, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod adapters;
mod columns;
mod declared;
mod errors;
mod forms;
mod index_values;
mod matrix;
mod migrating;
mod nesting;
mod observer;
mod schema;
mod scopes;
mod search;
mod support;
mod traps;
mod wiping;
