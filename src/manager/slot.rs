//! One keyspace: at most one attempt to unlock or refresh it at a time, whoever asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use super::settings::Settings;
use crate::error::{Error, ErrorKind};
use crate::id::{KeyId, Name};
use crate::key::KeyringFile;
use crate::keyring::Keyring;
use crate::observe::{KeyEvent, Observer};
use crate::provider::RootKeys;
use crate::store::KeyringStore;

/// For how long the error of an attempt is also that of whoever asks anew and has nothing else.
const ERROR_KEPT: Duration = Duration::from_secs(1);
/// How long to wait between two attempts while an unlocked keyring is in use.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(10);
/// How often unknown key ids may ask the store: they come from outside.
const BETWEEN_UNKNOWN_KEYS: Duration = Duration::from_secs(5);

/// What keyrings are read from and unlocked with.
pub(super) struct Refresher {
    pub(super) store: Arc<dyn KeyringStore>,
    pub(super) roots: RootKeys,
    pub(super) settings: Settings,
}

pub(super) struct Slot {
    keyspace: Name,
    state: Mutex<State>,
    /// Whoever attempts holds it; whoever waits for the attempt waits here.
    turn: AsyncMutex<()>,
}

struct State {
    current: Option<Current>,
    failure: Option<Failure>,
    /// The newest generation that was ever seen here.
    min_generation: u64,
}

/// The keyring in use.
#[derive(Clone)]
struct Current {
    keyring: Arc<Keyring>,
    /// What it was unlocked from: unlocked again only where the store has another.
    file: Arc<KeyringFile>,
    /// When the store last said that it is the newest. Of the monotonic clock, which nobody sets.
    seen: Instant,
}

/// The last attempt, where it failed.
struct Failure {
    error: Error,
    at: Instant,
}

/// What a caller gets without waiting.
enum Look {
    Use(Arc<Keyring>),
    /// Use it, and look for a newer one meanwhile.
    UseAndRefresh(Arc<Keyring>),
    Wait,
}

impl Slot {
    pub(super) fn new(keyspace: Name, min_generation: u64) -> Self {
        let state = State { current: None, failure: None, min_generation };
        Self { keyspace, state: Mutex::new(state), turn: AsyncMutex::new(()) }
    }

    /// The generation in use.
    pub(super) fn generation(&self) -> Option<u64> {
        self.state().current.as_ref().map(|current| current.file.generation())
    }

    pub(super) async fn keyring(self: Arc<Self>, refresher: &Arc<Refresher>) -> Result<Arc<Keyring>, Error> {
        let asked = Instant::now();
        let look = self.state().look(&refresher.settings, asked);
        match look {
            Look::Use(keyring) => Ok(keyring),
            Look::UseAndRefresh(keyring) => {
                self.refresh_meanwhile(refresher, asked);
                Ok(keyring)
            }
            Look::Wait => {
                self.refresh(refresher, asked).await;
                self.state().usable(&refresher.settings, asked)
            }
        }
    }

    pub(super) async fn keyring_with(
        self: Arc<Self>,
        refresher: &Arc<Refresher>,
        key_id: KeyId,
    ) -> Result<Arc<Keyring>, Error> {
        let keyring = Arc::clone(&self).keyring(refresher).await?;
        let asked = Instant::now();
        let recent = |at: Instant| asked.duration_since(at) < BETWEEN_UNKNOWN_KEYS;
        let asked_lately = {
            let state = self.state();
            state.current.as_ref().is_some_and(|current| recent(current.seen))
                || state.failure.as_ref().is_some_and(|failure| recent(failure.at))
        };
        if keyring.knows(key_id) || asked_lately {
            return Ok(keyring);
        }
        self.refresh(refresher, asked).await;
        self.state().usable(&refresher.settings, asked)
    }

    /// Without a runtime to go on in, the next caller waits instead.
    fn refresh_meanwhile(self: &Arc<Self>, refresher: &Arc<Refresher>, asked: Instant) {
        let (slot, refresher) = (Arc::clone(self), Arc::clone(refresher));
        if let Ok(runtime) = Handle::try_current()
            && self.turn.try_lock().is_ok()
        {
            runtime.spawn(async move { slot.refresh(&refresher, asked).await });
        }
    }

    /// One attempt, unless one ended since it was `asked` for.
    async fn refresh(&self, refresher: &Refresher, asked: Instant) {
        let _turn = self.turn.lock().await;
        let (current, min_generation) = {
            let state = self.state();
            if state.answered_since(asked) {
                return;
            }
            (state.current.clone(), state.min_generation)
        };
        let result = refresher.newest(&self.keyspace, current.as_ref(), min_generation).await;
        let mut state = self.state();
        let now = Instant::now();
        match result {
            Ok(newest) => {
                state.min_generation = newest.file.generation();
                state.current = Some(newest);
                state.failure = None;
            }
            Err(error) => {
                refresher.tell_failure(&state, self.keyspace.as_str(), &error, now);
                state.failure = Some(Failure { error, at: now });
            }
        }
    }

    /// Each change leaves it whole, so a panic elsewhere does no harm.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look(&self, settings: &Settings, now: Instant) -> Look {
        let Some(current) = &self.current else { return Look::Wait };
        let age = now.duration_since(current.seen);
        let keyring = || Arc::clone(&current.keyring);
        let last_failed = self.failure.as_ref().map(|failure| now.duration_since(failure.at));
        let due = last_failed.is_none_or(|before| before >= BETWEEN_ATTEMPTS);
        if age < settings.refresh_after() {
            Look::Use(keyring())
        } else if age < settings.max_staleness || self.has_grace(settings, age) {
            if due { Look::UseAndRefresh(keyring()) } else { Look::Use(keyring()) }
        } else {
            Look::Wait
        }
    }

    /// Whether it may be used although nobody knows whether it is the newest: the last attempt failed, and not for good.
    fn has_grace(&self, settings: &Settings, age: Duration) -> bool {
        let down = self.failure.as_ref().is_some_and(|failure| failure.error.is_retryable());
        down && age < settings.max_staleness.saturating_add(settings.grace)
    }

    /// Whether there is no need for another attempt: one ended after `asked`, or failed just before it.
    fn answered_since(&self, asked: Instant) -> bool {
        self.current.as_ref().is_some_and(|current| current.seen >= asked)
            || self.failure.as_ref().is_some_and(|failure| asked.saturating_duration_since(failure.at) < ERROR_KEPT)
    }

    /// What there is after an attempt that was waited for.
    fn usable(&self, settings: &Settings, asked: Instant) -> Result<Arc<Keyring>, Error> {
        match (&self.current, &self.failure) {
            (Some(current), failure) => {
                let age = asked.duration_since(current.seen);
                match failure {
                    Some(failure) if age >= settings.max_staleness && !self.has_grace(settings, age) => {
                        Err(failure.error.again())
                    }
                    _ => Ok(Arc::clone(&current.keyring)),
                }
            }
            (None, Some(failure)) => Err(failure.error.again()),
            // Not reached: an attempt leaves one of both.
            (None, None) => Err(ErrorKind::KeyringMissing.into()),
        }
    }
}

impl Refresher {
    /// The newest keyring of the store; unlocked only where it is not the one in use.
    async fn newest(&self, keyspace: &Name, current: Option<&Current>, min_generation: u64) -> Result<Current, Error> {
        let seen = Instant::now();
        let file = self.store.get(keyspace.as_str()).await?.ok_or(ErrorKind::KeyringMissing)?;
        if let Some(current) = current.filter(|current| *current.file == file) {
            return Ok(Current { seen, ..current.clone() });
        }
        if file.generation() < min_generation {
            return Err(ErrorKind::KeyringTooOld.into());
        }
        let mut failed = Vec::new();
        let options = &self.settings.options;
        let unlocked = Keyring::unlock_reporting(options, keyspace.as_str(), &self.roots, &file, &mut failed).await;
        let keyring = match &self.settings.observer {
            Some(observer) => {
                for failure in &failed {
                    failure.tell(keyspace.as_str(), observer);
                }
                unlocked?.observed_by(Arc::clone(observer))
            }
            None => unlocked?.unobserved(),
        };
        if let (Some(observer), Some(_)) = (&self.settings.observer, current) {
            let (keyspace, generation) = (keyspace.as_str(), file.generation());
            observer.key_event(&KeyEvent::Refreshed { keyspace, generation });
        }
        Ok(Current { keyring: Arc::new(keyring), file: Arc::new(file), seen })
    }

    fn tell_failure(&self, state: &State, keyspace: &str, error: &Error, now: Instant) {
        let (Some(observer), Some(current)) = (&self.settings.observer, &state.current) else { return };
        observer.key_event(&KeyEvent::RefreshFailed {
            keyspace,
            generation: current.file.generation(),
            stale_for: now.duration_since(current.seen),
            code: error.code(),
            reason: &error.with_cause(),
        });
    }
}
