//! Whether a stored time is long enough ago.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Reason};

/// How far the clocks of two machines may be apart, in seconds. A time further in the future shows that one of them is wrong.
pub(crate) const SKEW: u64 = 60;

/// Whether `wait` has passed since `written`, a time that may come from another machine's clock. Both times are Unix seconds. If
/// not, the error is `state-refused` with this `reason` and the [time left](Error::time_left). If `written` is in the future, nobody
/// knows how long ago it was, and the error is `clock-skew`. A wait of zero asks no clock.
pub(crate) fn waited(written: u64, now: u64, wait: Duration, reason: Reason) -> Result<(), Error> {
    if wait.is_zero() {
        return Ok(());
    }
    let ahead = written.saturating_sub(now);
    if ahead > SKEW {
        let reason = "set this machine's clock right; if it is right, the stored time is wrong: wait that long by another clock, \
             and then give a wait of zero";
        return Err(Error::clock_skew(Duration::from_secs(ahead), reason));
    }
    match wait.checked_sub(Duration::from_secs(now.saturating_sub(written))) {
        Some(left) if !left.is_zero() => Err(ErrorKind::StateRefused.because(reason).with_time_left(left)),
        _ => Ok(()),
    }
}

/// Whether a count that began at `begun` began after `wait` had passed since `written`. All times are Unix seconds, and the wait
/// [has passed](waited) at `now`. The error is `not-counted`, or `clock-skew` if `begun` is in the future.
pub(crate) fn begun_after(written: u64, now: u64, wait: Duration, begun: u64) -> Result<(), Error> {
    let ahead = begun.saturating_sub(now);
    if ahead > SKEW {
        let reason = "the count began in the future: set this machine's clock right, and count again";
        return Err(Error::clock_skew(Duration::from_secs(ahead), reason));
    }
    // The time is wrong, and the caller gave a wait of zero because it knows that the wait is over.
    if written.saturating_sub(now) > SKEW {
        return Ok(());
    }
    match begun.checked_sub(written) {
        Some(passed) if Duration::from_secs(passed) >= wait => Ok(()),
        _ => Err(ErrorKind::NotCounted.because(COUNTED_EARLY)),
    }
}

const COUNTED_EARLY: Reason = "the count began while programs could still write under the key, and what they wrote since would be lost: \
    reseal what is left, or index it anew if it is an index root, and count again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_begun_when_the_wait_is_over() {
        let code = |written, now, millis, begun| {
            begun_after(written, now, Duration::from_millis(millis), begun).err().map(|error| error.code().as_str())
        };
        for (written, now, millis, begun, refusal) in [
            // Within the same second.
            (1000, 1000, 0, 1000, None),
            (1000, 1001, 0, 999, Some("not-counted")),
            (1000, 2000, 300_000, 1299, Some("not-counted")),
            (1000, 2000, 300_000, 1300, None),
            (1000, 2000, 299_500, 1299, Some("not-counted")),
            (1000, 2000, 300_000, 0, Some("not-counted")),
            (0, u64::MAX, u64::MAX, u64::MAX, None),
            // The clock of whoever counted, or changed the key, is a little ahead.
            (1000, 1000, 0, 1060, None),
            (1000, 1000, 0, 1061, Some("clock-skew")),
            (1060, 1000, 0, 1000, Some("not-counted")),
            (1060, 1060, 0, 1060, None),
            // A time that is wrong.
            (1061, 1000, 0, 1000, None),
            (u64::MAX, 1000, 0, 0, None),
        ] {
            assert_eq!(code(written, now, millis, begun), refusal, "{written} {now} {millis} {begun}");
        }
    }

    #[test]
    fn each_wait_ends_when_it_is_over() {
        let wait = |written, now, seconds| waited(written, now, Duration::from_secs(seconds), "wait");
        let left = |error: Error| (error.code().as_str(), error.time_left().map(|left| left.as_secs()));
        for (written, now, seconds, refusal) in [
            (1000, 1000, 0, None),
            (1000, 1000, 1, Some(("state-refused", Some(1)))),
            (1000, 1299, 300, Some(("state-refused", Some(1)))),
            (1000, 1300, 300, None),
            (1000, u64::MAX, 300, None),
            (0, 0, u64::MAX, Some(("state-refused", Some(u64::MAX)))),
            // Two clocks always differ a little: a little in the future counts as now.
            (1060, 1000, 300, Some(("state-refused", Some(300)))),
            (1061, 1000, 300, Some(("clock-skew", None))),
            (u64::MAX, 1000, 300, Some(("clock-skew", None))),
            (u64::MAX, 0, 0, None),
        ] {
            assert_eq!(wait(written, now, seconds).err().map(left), refusal, "{written} {now} {seconds}");
        }
    }
}
