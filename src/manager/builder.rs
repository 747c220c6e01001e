//! What a manager is made with.

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

/// What a [`KeyringManager`] is made with.
#[must_use = "say `.observed_by(..)` or `.unobserved()`"]
pub struct KeyringManagerBuilder {
    store: Arc<dyn KeyringStore>,
    roots: RootKeys,
    settings: Settings,
}

impl KeyringManager {
    /// A manager of the keyrings in `store`, which one of `roots` unlocks. Say `.observed_by(..)` or `.unobserved()` to have it.
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

    /// For how long a keyring is used without asking the store whether there is a newer generation: 5 minutes, unless said
    /// otherwise. By the monotonic clock or the wall clock, whichever moved further: so also on a machine that was suspended, and
    /// where somebody sets the wall clock it is asked again earlier, never later. The staging time of a rotation ([`KeyringAdmin::promote`](crate::keys::KeyringAdmin::promote)) is at least this.
    pub fn max_staleness(mut self, duration: Duration) -> Self {
        self.settings.max_staleness = duration;
        self
    }

    /// For how much longer it is used while the store or every root key is out of order: 1 hour, unless said otherwise. Only
    /// after errors that are [retryable](crate::Error::is_retryable), a panic of theirs, or two minutes without an answer: who is
    /// refused has no grace. For so long, and the staleness before it, this program may go on sealing under a key that is no longer
    /// the one that seals: whoever destroys a key waits for both ([`KeyringAdmin::UNUSED_FOR`](crate::keys::KeyringAdmin::UNUSED_FOR)). The
    /// observer hears of every attempt
    /// ([`KeyEvent::RefreshFailed`](crate::observe::KeyEvent::RefreshFailed)).
    pub fn grace(mut self, duration: Duration) -> Self {
        self.settings.grace = duration;
        self
    }

    /// How many keyrings are held, 1,000 unless said otherwise; the one that was not used for the longest time goes first.
    pub fn capacity(mut self, keyrings: NonZeroUsize) -> Self {
        self.settings.capacity = keyrings;
        self
    }

    /// What the keyring of each keyspace must be, and what computes: its pin, and the generation that was live when the program
    /// started, which no older file passes.
    pub fn options_for(mut self, options: impl Fn(&str) -> UnlockOptions + Send + Sync + 'static) -> Self {
        self.settings.options_for = Box::new(options);
        self
    }

    /// Looks at `clock` instead of the machine's, for tests. What waits for a store or root key does so by the runtime's timers.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub fn clock(mut self, clock: &TestClock) -> Self {
        self.settings.clock = clock.into();
        self
    }

    /// A manager whose keyrings tell `observer` of every opening, and which tells it what happens to keys.
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> KeyringManager {
        self.settings.observer = Some(Arc::new(observer));
        KeyringManager::new(self.store, self.roots, self.settings)
    }

    /// A manager of whose openings nobody hears.
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
