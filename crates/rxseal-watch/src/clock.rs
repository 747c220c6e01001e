//! The clocks of a watch: the wall clock, and the one that is never set. A test may bring its own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[cfg(feature = "insecure-test-clock")]
use rxseal::testing::TestClock;

/// If both clocks went on by more milliseconds than this apart, the writer says so in a line of its own, and the verifier expects that line.
pub(crate) const MOST_APART: u64 = 5000;
/// One second of [`Clock::now`].
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Both clocks of the machine since the watch began, or that of a test.
pub(crate) struct Clock {
    began: Instant,
    /// And when the watch began by it.
    #[cfg(feature = "insecure-test-clock")]
    test: Option<(TestClock, SystemTime)>,
}

impl Clock {
    #[cfg(feature = "insecure-test-clock")]
    pub(crate) fn of_test(clock: &TestClock) -> Self {
        Self { test: Some((clock.clone(), clock.now())), ..Self::default() }
    }

    /// Nanoseconds since the watch began, by the clock that is never set.
    pub(crate) fn now(&self) -> u64 {
        #[cfg(feature = "insecure-test-clock")]
        if let Some((clock, began)) = &self.test {
            return nanoseconds(clock.now().duration_since(*began).unwrap_or_default());
        }
        nanoseconds(self.began.elapsed())
    }

    /// The same, and milliseconds of the wall clock since 1970.
    pub(crate) fn both(&self) -> (u64, u64) {
        #[cfg(feature = "insecure-test-clock")]
        if let Some((clock, began)) = &self.test {
            let wall = clock.now();
            return (nanoseconds(wall.duration_since(*began).unwrap_or_default()), milliseconds(wall));
        }
        (self.now(), unix_ms())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            #[cfg(feature = "insecure-test-clock")]
            test: None,
        }
    }
}

/// Milliseconds of the machine's wall clock since 1970.
pub(crate) fn unix_ms() -> u64 {
    milliseconds(SystemTime::now())
}

fn milliseconds(wall: SystemTime) -> u64 {
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
