//! One keyspace. At most one attempt to unlock or refresh it runs at a time.

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorKind};
use crate::id::{KeyId, Name};
use crate::key::KeyringFile;
use crate::keyring::{Keyring, Seen, UnlockOptions};
use crate::observe::{KeyEvent, Observer};
use crate::root_key::RootKeys;
use crate::runtime::need_runtime;
use crate::store::KeyringStore;

/// How long the error of an attempt is also given to new callers that have no keyring to use.
const ERROR_KEPT: Duration = Duration::from_secs(1);
/// The wait between two attempts while an unlocked keyring is in use.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(10);
/// A failure shows that an outage still lasts if it is at most this old, now or when the current attempt began.
const OUTAGE_SEEN: Duration = Duration::from_secs(30);
/// How long a caller waits for one attempt. This is longer than a store and sixteen root keys take if all miss their
/// usual deadlines.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often unknown key ids may ask the store: they come from outside.
const BETWEEN_UNKNOWN_KEYS: Duration = Duration::from_secs(5);

/// How long a keyring may be used without a look-up, and how many are held.
pub(super) struct Settings {
    pub(super) max_staleness: Duration,
    pub(super) grace: Duration,
    pub(super) capacity: NonZeroUsize,
    pub(super) options_for: Box<dyn Fn(&str) -> UnlockOptions + Send + Sync>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) clock: Clock,
}

impl Settings {
    /// Half of the staleness, so that as much time is left to get an answer.
    pub(super) fn refresh_after(&self) -> Duration {
        self.max_staleness.checked_div(2).unwrap_or_default()
    }
}

/// The source of keyrings, and what unlocks them.
pub(super) struct Refresher {
    pub(super) store: Arc<dyn KeyringStore>,
    pub(super) roots: RootKeys,
    pub(super) settings: Settings,
    pub(super) seen: Seen,
}

pub(super) struct Slot {
    keyspace: Name,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    failure: Option<Failure>,
    underway: Option<Underway>,
}

/// The keyring in use.
#[derive(Clone)]
struct Current {
    keyring: Keyring,
    /// The file that it was unlocked from. It is unlocked again only if the store has another.
    file: Arc<KeyringFile>,
    /// When the store was last asked, and answered that this is the newest.
    seen: Moment,
}

/// The last attempt if it failed, or the current one if it hangs.
struct Failure {
    error: Error,
    at: Moment,
    /// It, or an earlier failure since the last success, is permanent.
    is_final: bool,
}

/// The attempt in progress.
#[derive(Clone)]
struct Underway {
    began: Moment,
    /// Closed when it ends in any way.
    end: watch::Receiver<()>,
}

/// The right to make an attempt. There is one, held from before its task first runs until the task is done, panics or
/// is cut off.
struct Attempt {
    slot: Arc<Slot>,
    underway: Underway,
    /// Dropping it wakes all waiting callers, and passes the right to none of them: a runtime that nobody drives would
    /// keep it for ever.
    _end: watch::Sender<()>,
}

/// Who makes the next attempt.
enum NextAttempt {
    /// An attempt is running.
    Nobody,
    Mine(Attempt),
    Another(Underway),
}

/// What a caller gets without waiting.
enum Look {
    Use(Keyring),
    /// Use it, and look for a newer one in the background.
    UseAndRefresh(Keyring),
    Wait,
}

impl Slot {
    pub(super) fn new(keyspace: Name) -> Self {
        Self { keyspace, state: Mutex::default() }
    }

    pub(super) fn is_unlocked(&self) -> bool {
        self.state().current.is_some()
    }

    pub(super) async fn keyring(self: Arc<Self>, refresher: &Arc<Refresher>) -> Result<Keyring, Error> {
        let asked = refresher.now();
        let look = self.state().look(&refresher.settings, asked);
        match look {
            Look::Use(keyring) => Ok(keyring),
            Look::UseAndRefresh(keyring) => {
                self.refresh_meanwhile(refresher, asked);
                Ok(keyring)
            }
            Look::Wait => {
                self.refresh(refresher, asked).await;
                self.state().usable(refresher, asked)
            }
        }
    }

    pub(super) async fn keyring_with(
        self: Arc<Self>,
        refresher: &Arc<Refresher>,
        key_id: KeyId,
    ) -> Result<Keyring, Error> {
        let keyring = Arc::clone(&self).keyring(refresher).await?;
        let asked = refresher.now();
        let recent = |at: Moment| asked.steadily_since(at) < BETWEEN_UNKNOWN_KEYS;
        let asked_lately = {
            let state = self.state();
            state.current.as_ref().is_some_and(|current| recent(current.seen))
                || state.failure.as_ref().is_some_and(|failure| recent(failure.at))
        };
        if keyring.knows(key_id) || asked_lately {
            return Ok(keyring);
        }
        self.refresh(refresher, asked).await;
        self.state().usable(refresher, asked)
    }

    fn refresh_meanwhile(self: &Arc<Self>, refresher: &Arc<Refresher>, asked: Moment) {
        match self.next_attempt(refresher, asked) {
            NextAttempt::Nobody => {}
            NextAttempt::Mine(attempt) => {
                // Without a runtime to continue in, a later caller waits instead.
                if let Ok(runtime) = Handle::try_current() {
                    drop(runtime.spawn(attempt.run(Arc::clone(refresher))));
                }
            }
            NextAttempt::Another(_) => self.tell_if_it_hangs(refresher),
        }
    }

    /// Waits for one attempt, unless one ended after `asked`.
    async fn refresh(self: &Arc<Self>, refresher: &Arc<Refresher>, asked: Moment) {
        loop {
            let (underway, mine) = match self.next_attempt(refresher, asked) {
                NextAttempt::Nobody => return,
                NextAttempt::Mine(attempt) => (attempt.start(refresher).await, true),
                NextAttempt::Another(underway) => (underway, false),
            };
            if !underway.ends(&refresher.settings.clock).await {
                return self.tell_if_it_hangs(refresher);
            }
            if mine {
                return;
            }
        }
    }

    fn next_attempt(self: &Arc<Self>, refresher: &Refresher, asked: Moment) -> NextAttempt {
        let mut state = self.state();
        if state.answered_since(asked) {
            return NextAttempt::Nobody;
        }
        if let Some(underway) = &state.underway {
            return NextAttempt::Another(underway.clone());
        }
        let (sender, end) = watch::channel(());
        let underway = state.underway.insert(Underway { began: refresher.now(), end }).clone();
        NextAttempt::Mine(Attempt { slot: Arc::clone(self), underway, _end: sender })
    }

    /// A second attempt does not start while one hangs. The hanging one is reported and counts as an outage, as if it
    /// had failed.
    fn tell_if_it_hangs(&self, refresher: &Refresher) {
        let now = refresher.now();
        let state = self.state();
        if state.hangs(now) && state.is_due(now) {
            let error = ErrorKind::StoreUnavailable.because(
                "the attempt to read and unlock the keyring did not end within two minutes: the store or a root key hangs, or nobody \
                 drives the runtime of the caller who began it. `KeyringManager::forget` starts again",
            );
            self.fail(state, refresher, error, now);
        }
    }

    fn fail(&self, mut state: MutexGuard<'_, State>, refresher: &Refresher, error: Error, now: Moment) {
        let (told, current) = (error.again(), state.current.clone());
        // A refusal lasts until an attempt succeeds: a later outage does not bring the grace back.
        let is_final = !error.is_retryable() || state.failure.as_ref().is_some_and(|before| before.is_final);
        state.failure = Some(Failure { error, at: now, is_final });
        // Not under the lock: an observer may call the manager.
        drop(state);
        refresher.tell_failure(current.as_ref(), self.keyspace.as_str(), &told, now);
    }

    /// Each change leaves it whole, so a panic elsewhere does no harm.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// In its own task: otherwise callers with less patience than the root key would begin it again for ever.
    async fn start(self, refresher: &Arc<Refresher>) -> Underway {
        let underway = self.underway.clone();
        let attempt = self.run(Arc::clone(refresher));
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(attempt)),
            Err(_) => attempt.await,
        }
        underway
    }

    async fn run(self, refresher: Arc<Refresher>) {
        let slot = &self.slot;
        let current = slot.state().current.clone();
        let result = unless_it_panics(refresher.newest(&slot.keyspace, current.as_ref())).await;
        let now = refresher.now();
        let mut state = slot.state();
        match result {
            Ok(newest) => {
                state.current = Some(newest);
                state.failure = None;
            }
            Err(error) => slot.fail(state, &refresher, error, now),
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.slot.state().underway = None;
    }
}

impl Underway {
    /// Whether it ends while a caller still waits. Without timers every caller waits.
    async fn ends(mut self, clock: &Clock) -> bool {
        let patience = PATIENCE.saturating_sub(clock.now().steadily_since(self.began));
        let end = async { while self.end.changed().await.is_ok() {} };
        if need_runtime().is_ok() {
            timeout(patience, end).await.is_ok()
        } else {
            end.await;
            true
        }
    }
}

impl State {
    fn look(&self, settings: &Settings, now: Moment) -> Look {
        let Some(current) = &self.current else { return Look::Wait };
        let age = now.since(current.seen);
        let keyring = || current.keyring.clone();
        if age < settings.refresh_after() {
            Look::Use(keyring())
        } else if age < settings.max_staleness || self.has_grace(settings, age, now) {
            if self.is_due(now) { Look::UseAndRefresh(keyring()) } else { Look::Use(keyring()) }
        } else {
            Look::Wait
        }
    }

    /// Whether the last failure is old enough for a new attempt.
    fn is_due(&self, now: Moment) -> bool {
        self.failure.as_ref().is_none_or(|failure| now.steadily_since(failure.at) >= BETWEEN_ATTEMPTS)
    }

    /// By the monotonic clock: nothing hangs on a machine that was suspended.
    fn hangs(&self, now: Moment) -> bool {
        self.underway.as_ref().is_some_and(|underway| now.steadily_since(underway.began) >= PATIENCE)
    }

    /// Whether it may be used although it may not be the newest: an attempt failed recently, and not for good. The
    /// outage lasts while the next attempt runs too, which may take as long as a deadline of the store, and no caller
    /// should wait for that.
    fn has_grace(&self, settings: &Settings, age: Duration, now: Moment) -> bool {
        let known_at = self.underway.as_ref().map_or(now, |underway| underway.began);
        let down =
            self.failure.as_ref().is_some_and(|failure| !failure.is_final && known_at.since(failure.at) < OUTAGE_SEEN);
        down && age < settings.max_staleness.saturating_add(settings.grace)
    }

    /// Whether no other attempt is needed: one ended after `asked`, or failed just before it.
    fn answered_since(&self, asked: Moment) -> bool {
        self.current.as_ref().is_some_and(|current| !current.seen.is_before(asked))
            || self.failure.as_ref().is_some_and(|failure| asked.steadily_since(failure.at) < ERROR_KEPT)
    }

    /// The result of an attempt that a caller waited for. An attempt that was cut off, for example by a runtime that
    /// ended, leaves none, so a keyring that is not known to be good is refused.
    fn usable(&self, refresher: &Refresher, asked: Moment) -> Result<Keyring, Error> {
        let (now, settings) = (refresher.now(), &refresher.settings);
        if let Some(current) = &self.current {
            let age = now.since(current.seen);
            // It lasts longer than any caller waits only on a machine that was suspended meanwhile.
            let just_asked = !current.seen.is_before(asked) && age < PATIENCE;
            if just_asked || age < settings.max_staleness || self.has_grace(settings, age, now) {
                return Ok(current.keyring.clone());
            }
        }
        let cut_off = || ErrorKind::StoreUnavailable.because("the attempt to read and unlock the keyring was cut off");
        Err(self.failure.as_ref().map_or_else(cut_off, |failure| failure.error.again()))
    }
}

/// The store, the root key, the observer or `options_for` may panic. That is a failure like any other, with its event
/// and its end.
async fn unless_it_panics<T>(attempt: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut attempt = pin!(attempt);
    let panicked = || ErrorKind::StoreUnavailable.because("the attempt to read and unlock the keyring panicked");
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    })
    .await
}

impl Refresher {
    fn now(&self) -> Moment {
        self.settings.clock.now()
    }

    /// The newest keyring of the store. It is unlocked only if it is not the one in use.
    async fn newest(&self, keyspace: &Name, current: Option<&Current>) -> Result<Current, Error> {
        let seen = self.now();
        let file = self.store.get(keyspace.as_str()).await?.ok_or(ErrorKind::KeyringMissing)?;
        if let Some(current) = current.filter(|current| *current.file == file) {
            return Ok(Current { seen, ..current.clone() });
        }
        self.seen.newest(file.keyspace()).check(&file)?;
        let mut failed = Vec::new();
        let options = &(self.settings.options_for)(keyspace.as_str());
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
        self.seen.see(&file)?;
        if let (Some(observer), Some(_)) = (&self.settings.observer, current) {
            let (keyspace, generation) = (keyspace.as_str(), file.generation());
            observer.key_event(&KeyEvent::Refreshed { keyspace, generation });
        }
        Ok(Current { keyring, file: Arc::new(file), seen })
    }

    fn tell_failure(&self, current: Option<&Current>, keyspace: &str, error: &Error, now: Moment) {
        let Some(observer) = &self.settings.observer else { return };
        let (code, reason) = (error.code(), &*error.with_cause());
        observer.key_event(&match current {
            Some(current) => {
                let (generation, stale_for) = (current.file.generation(), now.since(current.seen));
                KeyEvent::RefreshFailed { keyspace, generation, stale_for, code, reason }
            }
            None => KeyEvent::NotUnlocked { keyspace, code, reason },
        });
    }
}
