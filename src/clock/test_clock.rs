//! A clock that a test sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A clock that stands still until a test moves it. Give it to a manager or an admin. A clone is the same clock.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::testing::{TestClock, insecure_keyring_file};
/// use rxseal::keys::{KeyUse, KeyringAdmin, RemainingUse};
/// use rxseal::store::{KeyringStore, MemoryStore};
/// use rxseal::run_local;
/// let (roots, stored) = insecure_keyring_file("pharmacy-17")?;
/// let store = MemoryStore::default();
/// run_local(store.put(&stored, None))?;
/// let clock = TestClock::default();
/// let admin = KeyringAdmin::new(store, roots).clock(&clock);
///
/// let old = stored.keys().iter().find(|key| key.usage() == KeyUse::Seal).unwrap().id();
/// run_local(admin.rotate("pharmacy-17"))?;
/// let nothing = || RemainingUse::new(0, 0).begun_at(clock.now());
/// let destroy = || run_local(admin.destroy("pharmacy-17", old, nothing(), clock.now(), KeyringAdmin::UNUSED_FOR));
/// assert_eq!(destroy().unwrap_err().time_left(), Some(KeyringAdmin::UNUSED_FOR));
/// clock.advance(KeyringAdmin::UNUSED_FOR);
/// destroy()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestClock(Arc<Mutex<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    monotonic: Instant,
    wall: SystemTime,
}

impl TestClock {
    /// The time of its wall clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.read().1
    }

    /// Moves both clocks forward: time passes.
    pub fn advance(&self, time: Duration) {
        self.change(|now| now.monotonic.checked_add(time), |now| now.wall.checked_add(time));
    }

    /// Moves only the wall clock forward, as if the machine was suspended for that time, or somebody set the clock.
    pub fn set_forward(&self, time: Duration) {
        self.change(|now| Some(now.monotonic), |now| now.wall.checked_add(time));
    }

    /// Moves only the wall clock back, as if somebody set it.
    pub fn set_back(&self, time: Duration) {
        self.change(|now| Some(now.monotonic), |now| now.wall.checked_sub(time));
    }

    pub(super) fn read(&self) -> (Instant, SystemTime) {
        let Reading { monotonic, wall } = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (monotonic, wall)
    }

    /// Changes nothing if the time would be beyond what a clock can represent.
    fn change(&self, monotonic: impl Fn(Reading) -> Option<Instant>, wall: impl Fn(Reading) -> Option<SystemTime>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(monotonic), Some(wall)) = (monotonic(*now), wall(*now)) {
            *now = Reading { monotonic, wall };
        }
    }
}

/// Starts at the time of the machine's clocks.
impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Reading { monotonic: Instant::now(), wall: SystemTime::now() })))
    }
}
