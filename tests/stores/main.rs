//! The stores of keyrings and subject keys, and counting how many tokens are under which key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod children;
mod column;
mod count;
mod index_cells;
mod index_count;
mod keyrings;
mod statements;
mod subjects;
mod tags;
