//! The watch as a program sees it: what is in its log, who notices a change of it, and whom its budgets refuse.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that panics has failed"
)]

mod acts;
mod budgets;
mod conformance;
mod events;
mod faults;
mod forged;
mod kills;
mod patients;
mod postgres;
mod python;
mod support;
mod tampering;
mod tool_runs;
mod tracing;
mod verifying;
