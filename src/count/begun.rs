//! When a count was begun.

use std::time::SystemTime;

use crate::clock::{Clock, unix_seconds};

/// When somebody began to count, in whole Unix seconds of this machine's wall clock, as the times in a keyring are: what was sealed
/// since may be missing. `default` is now.
///
/// Any two are equal: counts of the same tokens are the same, whenever each was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun(u64);

impl Begun {
    pub(crate) fn at(time: SystemTime) -> Self {
        Self(unix_seconds(time))
    }

    /// Of two counts together.
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
