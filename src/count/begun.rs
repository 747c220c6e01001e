//! When a count began.

use std::time::SystemTime;

use crate::clock::{Clock, unix_seconds};

/// When a count began, in whole Unix seconds of this machine's wall clock, like the times in a keyring. Tokens sealed since may be
/// missing. `default` is now.
///
/// Any two are equal, because counts of the same tokens are equal, whenever they were made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun(u64);

impl Begun {
    pub(crate) fn at(time: SystemTime) -> Self {
        Self(unix_seconds(time))
    }

    /// The earlier of the two.
    pub(crate) fn earliest(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    pub(crate) fn unix_seconds(self) -> u64 {
        self.0
    }
}

impl Default for Begun {
    fn default() -> Self {
        Self(Clock::default().unix_now())
    }
}

impl PartialEq for Begun {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Begun {}
