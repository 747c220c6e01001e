//! What time it is, by both clocks of a machine, and whether a waiting time has passed.

mod moment;
#[cfg(any(test, feature = "insecure-test-keys"))]
mod test_clock;
mod waiting;

#[cfg(not(feature = "key-manager"))]
use std::time::Instant;
use std::time::SystemTime;

// That of std, but for tests of programs that pause it.
#[cfg(feature = "key-manager")]
use tokio::time::Instant;

pub(crate) use moment::{Moment, unix_seconds};
#[cfg(any(test, feature = "insecure-test-keys"))]
pub use test_clock::TestClock;
pub(crate) use waiting::{SKEW, waited};

/// Where time is read: the machine's clocks, or those of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    #[cfg(any(test, feature = "insecure-test-keys"))]
    test: Option<TestClock>,
}

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        #[cfg(any(test, feature = "insecure-test-keys"))]
        if let Some(test) = &self.test {
            return test.moment();
        }
        let monotonic = Instant::now();
        #[cfg(feature = "key-manager")]
        let monotonic = monotonic.into_std();
        Moment::new(monotonic, SystemTime::now())
    }

    /// By the wall clock, in Unix seconds. For what is written down; how long ago something was is asked of two [`Moment`]s.
    pub(crate) fn unix_now(&self) -> u64 {
        self.now().unix_seconds()
    }
}

#[cfg(any(test, feature = "insecure-test-keys"))]
impl From<&TestClock> for Clock {
    fn from(test: &TestClock) -> Self {
        Self { test: Some(test.clone()) }
    }
}
