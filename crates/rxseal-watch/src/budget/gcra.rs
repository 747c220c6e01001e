//! The generic cell rate algorithm: one number says how much of a budget is used.

/// What a rate computes with, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// The time after which one more is allowed.
    pub(super) interval: u64,
    /// How many are allowed at once.
    pub(super) burst: u64,
}

impl Cells {
    /// The time until a burst is full again.
    fn whole(self) -> u64 {
        self.interval.saturating_mul(self.burst)
    }
}

/// How much is used: the time at which the burst is full again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket(u64);

impl Bucket {
    /// The bucket after `patients` more. On an error it is how long to wait for that.
    pub(super) fn after(self, patients: u64, cells: Cells, now: u64) -> Result<Self, u64> {
        let after = self.0.max(now).saturating_add(cells.interval.saturating_mul(patients));
        let limit = now.saturating_add(cells.whole());
        if after <= limit { Ok(Self(after)) } else { Err(after.saturating_sub(limit)) }
    }

    /// The bucket with its whole burst used.
    pub(super) fn used_up(cells: Cells, now: u64) -> Self {
        Self(now.saturating_add(cells.whole()))
    }

    /// Whether more than half of the burst is used.
    pub(super) fn is_half_used(self, cells: Cells, now: u64) -> bool {
        self.0.saturating_sub(now) > cells.whole() / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: Cells = Cells { interval: 10, burst: 3 };

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            bucket = bucket.after(1, CELLS, 100).unwrap();
        }
        assert_eq!(bucket.after(1, CELLS, 100), Err(10));
        assert_eq!(bucket.after(1, CELLS, 109), Err(1));
        bucket = bucket.after(1, CELLS, 110).unwrap();
        assert_eq!(bucket.after(1, CELLS, 110), Err(10));
        assert!(bucket.is_half_used(CELLS, 110) && !bucket.is_half_used(CELLS, 126));
        assert_eq!(bucket.after(4, CELLS, 1000), Err(10), "more than a burst never fits");
        assert!(bucket.after(3, CELLS, 1000).is_ok());
    }

    #[test]
    fn no_time_overflows() {
        let century = 100 * 366 * 86_400 * 1_000_000_000_u64;
        let day = Cells { interval: 7_200_000_000, burst: 10_000 };
        let mut bucket = Bucket::default();
        for now in [0, century, century + 1] {
            bucket = bucket.after(3000, day, now).unwrap();
        }
        // At the end of time nothing is refused to who is idle.
        let last = bucket.after(1, day, u64::MAX - 1).unwrap();
        assert!(last.after(1, day, u64::MAX).is_ok());
        assert!(Bucket::used_up(day, u64::MAX).after(1, day, u64::MAX).is_ok());
    }
}
