//! Root keys and keyrings: their whole life, stored, managed and observed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod admin;
mod index_roots;
mod lifecycle;
mod local_root_key;
mod manager;
mod support;
mod tracing;
