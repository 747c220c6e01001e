//! The wall clock, and how far it may go apart from the monotonic one.

use std::time::{SystemTime, UNIX_EPOCH};

/// If both clocks went on by more milliseconds than this apart, the writer says so in a line of its own, and the verifier expects that line.
pub(crate) const MOST_APART: u64 = 5000;

/// Milliseconds of the wall clock since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
