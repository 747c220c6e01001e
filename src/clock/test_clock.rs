//! A clock that a test sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::Moment;

/// A clock that stands still until a test moves it, for managers and admins that are given it. A clone is the same clock.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use std::time::Duration;
/// use rxseal::testing::TestClock;
/// use rxseal::{KeyringAdmin, MemoryStore, RootKeys, StillUnder, Suite, run_local};
/// # let roots = RootKeys::from(rxseal::LocalRootKey::generate()?);
/// let clock = TestClock::default();
/// let admin = KeyringAdmin::new(MemoryStore::default(), roots).clock(&clock);
/// let old = run_local(admin.create("pharmacy-17", Suite::default()))?.keys()[0].id();
/// # let old = run_local(admin.stored("pharmacy-17"))?.keys().iter().find(|key| key.suite().is_some()).map_or(old, |key| key.id());
/// run_local(admin.rotate("pharmacy-17"))?;
///
/// let nothing = StillUnder::new(0, 0);
/// let destroy = || run_local(admin.destroy("pharmacy-17", old, nothing, clock.now(), KeyringAdmin::UNUSED_FOR));
/// assert_eq!(destroy().unwrap_err().time_left(), Some(KeyringAdmin::UNUSED_FOR));
/// clock.advance(KeyringAdmin::UNUSED_FOR);
/// destroy()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestClock(Arc<Mutex<Moment>>);

impl TestClock {
    /// What its wall clock says.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.moment().wall()
    }

    /// Time passes.
    pub fn advance(&self, time: Duration) {
        self.change(time, |wall| wall.checked_add(time));
    }

    /// The wall clock alone goes forward: the machine was suspended for so long, or somebody set it.
    pub fn set_forward(&self, time: Duration) {
        self.change(Duration::ZERO, |wall| wall.checked_add(time));
    }

    /// Somebody sets the wall clock back.
    pub fn set_back(&self, time: Duration) {
        self.change(Duration::ZERO, |wall| wall.checked_sub(time));
    }

    pub(super) fn moment(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, steady: Duration, wall: impl Fn(SystemTime) -> Option<SystemTime>) {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let set = wall(moment.wall()).unwrap_or(moment.wall());
        *moment = moment.after(steady, set);
    }
}

/// At what the machine's clocks say now.
impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Moment::new(Instant::now(), SystemTime::now()))))
    }
}
