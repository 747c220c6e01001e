//! Fields in what other crates write: every format of serde, serde_with, columns of databases. What goes wrong there says so,
//! and says nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod adapters;
mod columns;
mod errors;
mod forms;
mod matrix;
mod nesting;
mod observer;
mod scopes;
mod support;
mod traps;
