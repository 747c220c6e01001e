//! The settings of a manager.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::KeyringManager;
use super::slot::Settings;
use crate::clock::Clock;
#[cfg(any(test, feature = "insecure-test-keys"))]
use crate::clock::TestClock;
use crate::keyring::{GRACE, MAX_STALENESS, UnlockOptions};
use crate::observe::Observer;
use crate::root_key::RootKeys;
use crate::store::KeyringStore;

/// The settings of a [`KeyringManager`].
#[must_use = "say `.observed_by(..)` or `.unobserved()`"]
pub struct KeyringManagerBuilder {
    store: Arc<dyn KeyringStore>,
    roots: RootKeys,
    settings: Settings,
}

impl KeyringManager {
    /// Begins a manager of the keyrings in `store`. One of `roots` must unlock each keyring. `.observed_by(..)` or `.unobserved()`
    /// makes the manager.
    pub fn builder(store: impl KeyringStore + 'static, roots: RootKeys) -> KeyringManagerBuilder {
        KeyringManagerBuilder::new(Arc::new(store), roots)
    }
}

impl KeyringManagerBuilder {
    fn new(store: Arc<dyn KeyringStore>, roots: RootKeys) -> Self {
        let settings = Settings {
            max_staleness: MAX_STALENESS,
            grace: GRACE,
            capacity: NonZeroUsize::new(1000).unwrap_or(NonZeroUsize::MIN),
            options_for: Box::new(|_| UnlockOptions::default()),
            observer: None,
            clock: Clock::default(),
        };
        Self { store, roots, settings }
    }

    /// How long a keyring is used without asking the store for a newer generation. The default is 5 minutes. The clock that moved further
    /// decides, the monotonic one or the wall clock. So it holds on a machine that was suspended, and if somebody sets the wall clock the
    /// store is asked earlier, never later. The staging time of a rotation
    /// ([`KeyringAdmin::promote`](crate::keys::KeyringAdmin::promote)) must be at least this.
    pub fn max_staleness(mut self, duration: Duration) -> Self {
        self.settings.max_staleness = duration;
        self
    }

    /// How much longer a keyring is used while the store or every root key is unavailable. The default is 1 hour. There is a grace only
    /// after [retryable](crate::Error::is_retryable) errors, a panic in the store or root key, or two minutes without an answer, and not
    /// after a refusal. During this time, and the staleness before it, the program may go on sealing under a key that is no longer the
    /// primary. So whoever destroys a key waits for both ([`KeyringAdmin::UNUSED_FOR`](crate::keys::KeyringAdmin::UNUSED_FOR)). The observer
    /// is told of every failed attempt ([`KeyEvent::RefreshFailed`](crate::observe::KeyEvent::RefreshFailed)).
    pub fn grace(mut self, duration: Duration) -> Self {
        self.settings.grace = duration;
        self
    }

    /// How many keyrings are held at most. The default is 1,000. The least recently used one is dropped first.
    pub fn capacity(mut self, keyrings: NonZeroUsize) -> Self {
        self.settings.capacity = keyrings;
        self
    }

    /// How the keyring of each keyspace is unlocked: with index roots, for a service that searches; the backend; the pin; and the minimum
    /// generation, for which you take the latest one at the start of the program.
    ///
    /// ```
    /// # fn searching(builder: rxseal::keys::KeyringManagerBuilder) -> rxseal::keys::KeyringManagerBuilder {
    /// use rxseal::keys::UnlockOptions;
    /// builder.options_for(|_| UnlockOptions::default().with_index_roots())
    /// # }
    /// ```
    pub fn options_for(mut self, options: impl Fn(&str) -> UnlockOptions + Send + Sync + 'static) -> Self {
        self.settings.options_for = Box::new(options);
        self
    }

    /// Uses `clock` instead of the machine's, for tests. Waiting for a store or root key still uses the runtime's timers.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub fn clock(mut self, clock: &TestClock) -> Self {
        self.settings.clock = clock.into();
        self
    }

    /// Makes a manager. It tells `observer` of every opening of its keyrings, and of what happens to keys.
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> KeyringManager {
        self.settings.observer = Some(Arc::new(observer));
        KeyringManager::new(self.store, self.roots, self.settings)
    }

    /// Makes a manager without an observer: nobody is told of openings.
    #[must_use]
    pub fn unobserved(self) -> KeyringManager {
        KeyringManager::new(self.store, self.roots, self.settings)
    }
}

impl fmt::Debug for KeyringManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringManagerBuilder").field("roots", &self.roots).finish_non_exhaustive()
    }
}
