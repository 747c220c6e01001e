//! Jobs over whole tables, beside applications that write: kills, faults, odd tables, limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod child;
mod ids;
mod map;
mod migration;
mod postgres;
mod preflight;
mod rows;
mod scan;
mod sqlite;
mod stops;
mod support;
mod typed;
