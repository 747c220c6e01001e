//! Search over databases, and over many random patients; normal forms against the Python implementation.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test that panics has failed"
)]

mod attack;
mod databases;
mod draw;
mod former;
mod hits;
mod normal_forms;
mod patients;
mod planner;
mod queries;
mod random;
