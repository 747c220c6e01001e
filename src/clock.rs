//! What time it is, by both clocks of a machine, and whether a waiting time has passed.

#[cfg(any(feature = "keyring-manager", feature = "subject-keys"))]
mod moment;
#[cfg(any(test, feature = "insecure-test-keys"))]
mod test_clock;
mod waiting;

use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(any(feature = "keyring-manager", feature = "subject-keys"))]
pub(crate) use moment::Moment;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub use test_clock::TestClock;
pub(crate) use waiting::{SKEW, begun_after, waited};

/// Where time is read: the machine's clocks, or those of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    #[cfg(any(test, feature = "insecure-test-keys"))]
    test: Option<TestClock>,
}

#[cfg_attr(not(any(test, feature = "insecure-test-keys")), expect(clippy::unused_self, reason = "tests have others"))]
impl Clock {
    /// Both clocks, for how long ago something was.
    #[cfg(any(feature = "keyring-manager", feature = "subject-keys"))]
    pub(crate) fn now(&self) -> Moment {
        #[cfg(any(test, feature = "insecure-test-keys"))]
        if let Some(test) = &self.test {
            let (monotonic, wall) = test.read();
            return Moment::new(monotonic, wall);
        }
        // Of tokio where there is one: that of std, but for programs that pause it in their tests.
        #[cfg(feature = "keyring-manager")]
        let monotonic = tokio::time::Instant::now().into_std();
        #[cfg(not(feature = "keyring-manager"))]
        let monotonic = std::time::Instant::now();
        Moment::new(monotonic, SystemTime::now())
    }

    /// The wall clock, in Unix seconds, for what is written down.
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

/// Zero for what is before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
