//! One reading of both clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What both clocks of a machine said at one time. The monotonic one stands still while the machine is suspended; the wall clock
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

    /// For how long at the most it has been since `earlier`: for what is allowed for some time only. Both clocks are believed, and
    /// whichever moved further decides. A wall clock that was set back counts by how far: nobody knows what it hides.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_else(|back| back.duration());
        self.steadily_since(earlier).max(wall)
    }

    /// By the monotonic clock alone: for how often something is tried, or how long it is waited for, where too little does no
    /// harm. Zero where `earlier` is later.
    pub(crate) fn steadily_since(self, earlier: Self) -> Duration {
        self.monotonic.saturating_duration_since(earlier.monotonic)
    }

    /// Whether it was read before `other`, which no change of the wall clock turns round.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic
    }

    /// The wall clock, in Unix seconds.
    pub(crate) fn unix_seconds(self) -> u64 {
        unix_seconds(self.wall)
    }

    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub(super) fn wall(self) -> SystemTime {
        self.wall
    }

    /// What both say after that.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub(super) fn after(self, steady: Duration, wall: SystemTime) -> Self {
        Self { monotonic: self.monotonic.checked_add(steady).unwrap_or(self.monotonic), wall }
    }
}

/// Zero for what is before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
