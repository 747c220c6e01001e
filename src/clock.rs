//! The time by both clocks of a machine, whether a waiting time has passed, and the calendar.

mod calendar;
#[cfg(any(feature = "keyring-manager", feature = "subject-keys"))]
mod moment;
#[cfg(any(test, feature = "insecure-test-keys"))]
mod test_clock;
mod waiting;

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use calendar::{days_before, days_of};
#[cfg(any(feature = "keyring-manager", feature = "subject-keys"))]
pub(crate) use moment::Moment;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub use test_clock::TestClock;
pub(crate) use waiting::{SKEW, begun_after, waited};

/// The machine's clocks, or those of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    #[cfg(any(test, feature = "insecure-test-keys"))]
    test: Option<TestClock>,
}

#[cfg_attr(
    not(any(test, feature = "insecure-test-keys")),
    expect(clippy::unused_self, reason = "tests have clocks of their own")
)]
impl Clock {
    /// A reading of both clocks, to tell how long ago something was.
    #[cfg(any(feature = "keyring-manager", feature = "subject-keys"))]
    pub(crate) fn now(&self) -> Moment {
        #[cfg(any(test, feature = "insecure-test-keys"))]
        if let Some(test) = &self.test {
            let (monotonic, wall) = test.read();
            return Moment::new(monotonic, wall);
        }
        // tokio's clock is that of std, except in programs whose tests pause it.
        #[cfg(feature = "keyring-manager")]
        let monotonic = tokio::time::Instant::now().into_std();
        #[cfg(not(feature = "keyring-manager"))]
        let monotonic = std::time::Instant::now();
        Moment::new(monotonic, SystemTime::now())
    }

    /// The wall clock in Unix seconds, for times that are stored.
    pub(crate) fn unix_now(&self) -> u64 {
        #[cfg(any(test, feature = "insecure-test-keys"))]
        if let Some(test) = &self.test {
            return unix_seconds(test.now());
        }
        unix_seconds(SystemTime::now())
    }
}

#[cfg(any(test, feature = "insecure-test-keys"))]
impl From<&TestClock> for Clock {
    fn from(test: &TestClock) -> Self {
        Self { test: Some(test.clone()) }
    }
}

/// Unix seconds; zero for a time before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
