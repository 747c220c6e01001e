//! Conversions between counts and shares. Estimates lose nothing that matters: counts are below 2^53.

/// A count as a number to calculate with.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// The nearest count; 0 for what is below it.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from a float saturates, as wanted"
)]
pub(super) fn nearest(number: f64) -> u32 {
    number.round() as u32
}

/// What share `part` is of `whole`; 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

/// A number of items as a count.
pub(super) fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

/// A number as a position.
pub(super) fn position(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
