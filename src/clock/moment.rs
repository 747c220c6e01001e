//! One reading of both clocks.

use std::time::{Duration, Instant, SystemTime};

/// What both clocks of a machine said at one time. The monotonic clock stops while the machine is suspended, and the wall clock
/// may be set forward and back. So neither alone tells how long ago something was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(super) fn new(monotonic: Instant, wall: SystemTime) -> Self {
        Self { monotonic, wall }
    }

    /// The longest time that may have passed since `earlier`, for what is allowed only for some time. The clock that moved further
    /// decides. A wall clock that was set back counts by how far it was set, because nobody knows how much time that hides.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_else(|back| back.duration());
        self.steadily_since(earlier).max(wall)
    }

    /// The time since `earlier` by the monotonic clock alone, or zero if `earlier` is later. It is for retries and waits, where
    /// too short a time does no harm.
    pub(crate) fn steadily_since(self, earlier: Self) -> Duration {
        self.monotonic.saturating_duration_since(earlier.monotonic)
    }

    /// Whether it was read before `other`, by the monotonic clock, which nobody sets. If that clock stood still and the wall clock did
    /// not, the order is unknown, and each of the two is before the other.
    #[cfg(feature = "keyring-manager")]
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic || (self.monotonic == other.monotonic && self.wall != other.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Clock, TestClock};
    use super::*;

    /// Whatever the clocks do between two readings, the one that moved further limits the time that is left.
    #[test]
    fn the_clock_that_moved_further_decides() {
        let seconds = Duration::from_secs;
        for (steady, forward, back, since) in [
            (0, 0, 0, 0),
            (100, 0, 0, 100),
            (0, 100, 0, 100),
            (100, 3600, 0, 3700),
            (100, 0, 30, 100),
            (100, 0, 3600, 3500),
            (0, 0, 3600, 3600),
            (100, 0, 150, 100),
        ] {
            let test = TestClock::default();
            let clock = Clock::from(&test);
            let earlier = clock.now();
            test.advance(seconds(steady));
            test.set_forward(seconds(forward));
            test.set_back(seconds(back));
            let now = clock.now();
            assert_eq!(now.since(earlier), seconds(since), "{steady} {forward} {back}");
            assert_eq!(now.steadily_since(earlier), seconds(steady));
            assert_eq!(earlier.steadily_since(now), Duration::ZERO);
            assert_eq!(earlier.is_before(now), steady + forward + back > 0);
            assert!(!earlier.is_before(earlier));
            assert_eq!(now.is_before(earlier), steady == 0 && forward != back);
        }
    }
}
