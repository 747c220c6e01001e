//! The public API, as programs use it: a sealed value opens in its own place and nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod former_types;
mod ids;
mod joining;
mod not_taken;
mod opening;
mod record_tag;
mod record_types;
mod records;
mod reseal;
mod search;
mod smoke;
mod stored;
mod swaps;
mod tampering;
mod typed;
