//! The life of a stored keyring: every administrative change as one compare-and-swap of its store.

mod check;
mod remaining_use;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use check::WrapCheck;
pub use remaining_use::RemainingUse;

use crate::aead::Suite;
#[cfg(any(test, feature = "insecure-test-keys"))]
use crate::clock::TestClock;
use crate::clock::{Clock, unix_seconds};
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::{KeyState, KeyringFile};
use crate::keyring::{GRACE, Keyring, MAX_STALENESS, Newest, Opened, Seen, UnlockOptions};
use crate::observe::{KeyChange, KeyEvent, Observer};
use crate::root_key::{RootKey, RootKeys};
use crate::store::KeyringStore;

/// Makes and changes the keyrings of a store. For operators and deployment jobs: what seals and opens needs
/// [`Keyring::unlock`] only.
///
/// Each call reads the newest generation, unlocks it with one of the trusted root keys, makes the change, opens the result again,
/// and stores it only over the generation that it was made from. So whenever it is interrupted, the store has the old generation
/// or the new one; and of two changes at once, one ends with `store-conflict` ([`Error::is_conflict`]) and changed nothing.
/// Where the store's answer was lost, what it has is read before anything is said. Of each keyspace it remembers the newest
/// generation that it unlocked or made, and refuses what goes back behind that: an older file that somebody put back, and what was made
/// from one (`keyring-too-old`).
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let folder = std::env::temp_dir().join(format!("rxseal-admin-doc-{}", std::process::id()));
/// use rxseal::keys::{KeyringAdmin, Suite};
/// use rxseal::root::{RootKeyFile, RootKeys};
/// use rxseal::store::MemoryStore;
/// use rxseal::{Keyring, run_local};
/// use std::time::{Duration, SystemTime};
///
/// let roots = RootKeys::from(RootKeyFile::new(folder.join("root.key")).load_or_create()?);
/// let admin = KeyringAdmin::new(MemoryStore::default(), roots.clone());
/// run_local(admin.create("pharmacy-17", Suite::default()))?;
///
/// // A key that every reader has before a writer uses it; here all are in this process, so there is nothing to wait for.
/// let (_, staged) = run_local(admin.stage("pharmacy-17"))?;
/// let stored = run_local(admin.promote("pharmacy-17", staged, SystemTime::now(), Duration::ZERO))?;
///
/// let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored))?.unobserved();
/// assert_eq!(keys.primary_key(), staged);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok(())
/// # }
/// ```
pub struct KeyringAdmin {
    store: Arc<dyn KeyringStore>,
    roots: RootKeys,
    options: UnlockOptions,
    observer: Option<Arc<dyn Observer>>,
    clock: Clock,
    seen: Seen,
}

impl KeyringAdmin {
    /// For how long a key must be out of use before it is destroyed, unless said otherwise: 65 minutes, the longest time for which a
    /// `KeyringManager` with its usual settings goes on with a keyring (5 minutes of staleness and 1 hour of grace).
    pub const UNUSED_FOR: Duration = MAX_STALENESS.saturating_add(GRACE);

    /// Changes the keyrings in `store`, which one of `roots` unlocks.
    pub fn new(store: impl KeyringStore + 'static, roots: RootKeys) -> Self {
        let (options, clock) = (UnlockOptions::default(), Clock::default());
        Self { store: Arc::new(store), roots, options, observer: None, clock, seen: Seen::default() }
    }

    /// What the stored keyring must be before it is changed. State the generation that was live last: an older file put back by
    /// somebody else would become the newest one by a change, and the keys made since would be lost.
    #[must_use]
    pub fn options(mut self, options: UnlockOptions) -> Self {
        self.options = options;
        self
    }

    /// Tells `observer` of every change, and of every root key that fails.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Writes the times of `clock` down instead of the machine's, for tests.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn clock(mut self, clock: &TestClock) -> Self {
        self.clock = clock.into();
        self
    }

    /// The stored keyring. Nothing is unlocked: what it says of itself is authentic once it was.
    ///
    /// # Errors
    ///
    /// `keyring-missing`, `invalid-keyring`, `keyring-mismatch`, `keyring-too-old` where a newer one was seen here, and those of the
    /// store.
    pub async fn stored(&self, keyspace: &str) -> Result<KeyringFile, Error> {
        let newest = self.seen.newest(keyspace);
        let stored = self.store.get(keyspace).await?.ok_or(ErrorKind::KeyringMissing)?;
        if stored.keyspace() != keyspace {
            return Err(ErrorKind::KeyringMismatch.into());
        }
        newest.check(&stored)?;
        Ok(stored)
    }

    /// Makes and stores the keyring of a new keyspace, wrapped by every trusted root key.
    ///
    /// # Errors
    ///
    /// `store-conflict` where there is one; `keyring-too-old` where there was one, which is lost; those of [`Keyring::create`] and of the
    /// store.
    pub async fn create(&self, keyspace: &str, suite: Suite) -> Result<KeyringFile, Error> {
        // Asked first, so that the usual mistake costs no call of a root key.
        if self.store.get(keyspace).await?.is_some() {
            return Err(ErrorKind::KeyringExists.into());
        }
        let file = Keyring::create(keyspace, &self.roots, suite).await?;
        self.publish(file, None, KeyChange::Created).await
    }

    /// Adds a pre-active DEK: it opens, so that every reader has it before a writer uses it. The first half of a rotation
    /// where several processes hold the keyring; [`promote`](Self::promote) is the second.
    ///
    /// # Errors
    ///
    /// `state-refused` where one is staged already; `clock-skew` where the keyring has a time that is more than a minute in the future
    /// of this machine's clock; `store-conflict`, those of unlocking and of the store.
    pub async fn stage(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.stage(self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::Staged(id)).await?, id))
    }

    /// Makes a staged DEK the one that seals; the one before it is deactivated. Only once it has been in the store for
    /// `staging_time`: take at least the time after which every reader has looked for a newer generation (the staleness of its
    /// `KeyringManager`, or its deployment). Zero is right where one process holds the keyring.
    ///
    /// # Errors
    ///
    /// `state-refused` where the key is not pre-active, or `now` is not `staging_time` after it was staged or the keyring was changed
    /// last, with the [time left](Error::time_left); `clock-skew` where the keyring has a time in the future of `now`; `unknown-key`,
    /// `store-conflict`, those of unlocking and of the store.
    pub async fn promote(
        &self,
        keyspace: &str,
        key_id: KeyId,
        now: SystemTime,
        staging_time: Duration,
    ) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.promote(key_id, unix_seconds(now), staging_time)?;
        self.publish(file, over, KeyChange::Promoted(key_id)).await
    }

    /// A new DEK that seals at once; the one before it is deactivated. For a keyring that one process holds: others that have
    /// not refreshed cannot open what is sealed with the new one. Data and wrapped subject keys are not touched.
    ///
    /// # Errors
    ///
    /// `clock-skew` as for [`stage`](Self::stage); `store-conflict`, `invalid-keyring` where it holds 1,024 keys already, those of
    /// unlocking and of the store.
    pub async fn rotate(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.rotate(self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::Rotated(id)).await?, id))
    }

    /// A new primary index root. What was indexed with the one before it is found with that one only.
    ///
    /// # Errors
    ///
    /// Those of [`rotate`](Self::rotate).
    pub async fn rotate_index_root(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.rotate_index_root(self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::IndexRootRotated(id)).await?, id))
    }

    /// Takes a key out of use: it opens and never seals again.
    ///
    /// # Errors
    ///
    /// `state-refused` where it is primary (rotate first) or not pre-active; `unknown-key`, `store-conflict`, those of
    /// unlocking and of the store.
    pub async fn deactivate(&self, keyspace: &str, key_id: KeyId) -> Result<KeyringFile, Error> {
        self.set_state(keyspace, key_id, KeyState::Deactivated, KeyChange::Deactivated(key_id)).await
    }

    /// Marks a key that somebody else may hold: it opens only by the calls that say so, and what it yields may be forged.
    ///
    /// # Errors
    ///
    /// As [`deactivate`](Self::deactivate).
    pub async fn compromise(&self, keyspace: &str, key_id: KeyId) -> Result<KeyringFile, Error> {
        self.set_state(keyspace, key_id, KeyState::Compromised, KeyChange::Compromised(key_id)).await
    }

    /// Destroys a key under which nothing is left and under which no program seals any more: its bytes are not in the new generation.
    /// It means nothing while an older generation's file exists, in a backup of the store for example.
    ///
    /// Programs that have not seen yet that another key seals go on sealing under this one, for the staleness and grace of their
    /// `KeyringManager` at the longest. So the key must have been out of use for `unused_for` at `now`, which is refused until then with
    /// the [time left](Error::time_left): take [`UNUSED_FOR`](Self::UNUSED_FOR), or more where a manager is set otherwise or a request
    /// may hold its keyring for longer than a moment. Zero is right where one process holds the keyring.
    ///
    /// A program may have sealed under the key since it was counted. So `still_under` must have been begun when that time was over, and
    /// with a wait of zero when the key was out of use: an earlier count is refused with `not-counted`, to the second, and nothing helps
    /// but to count again. A key that is still pre-active never sealed: it need not wait, and was counted at any time.
    ///
    /// **No wait helps against a `Keyring`, `Sealer` or `Record` that a program keeps: it seals under its key for ever.** Restart such
    /// programs, or let them ask a `KeyringManager` for each request.
    ///
    /// How long it was out of use counts from [`KeyInfo::changed`](crate::keys::KeyInfo::changed): where it was marked compromised after it
    /// was deactivated, from the mark. A clock that was ahead of the others when this is called cannot be told from time that passed.
    ///
    /// # Errors
    ///
    /// `key-in-use` where something is under it; `not-counted` where it was counted of another key, or too early; `state-refused` where
    /// the key is primary or active, or was in use not long enough ago; `clock-skew` where it went out of use, or was counted, in the
    /// future of `now`; `unknown-key`, `store-conflict`, those of unlocking and of the store.
    pub async fn destroy(
        &self,
        keyspace: &str,
        key_id: KeyId,
        still_under: RemainingUse,
        now: SystemTime,
        unused_for: Duration,
    ) -> Result<KeyringFile, Error> {
        still_under.check(key_id)?;
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.destroy(key_id, unix_seconds(now), unused_for, still_under.begun())?;
        self.publish(file, over, KeyChange::Destroyed(key_id)).await
    }

    /// As [`destroy`](Self::destroy), without asking what is under the key nor how long it was out of use: every token and every
    /// subject key that is or comes under it is lost for good, and with a subject key every field of its patient.
    ///
    /// # Errors
    ///
    /// `state-refused` where the key is primary or active; `unknown-key`, `store-conflict`, those of unlocking and of the store.
    pub async fn force_destroy(&self, keyspace: &str, key_id: KeyId) -> Result<KeyringFile, Error> {
        self.set_state(keyspace, key_id, KeyState::Destroyed, KeyChange::DestroyedByForce(key_id)).await
    }

    /// Puts the same keys under a new KEK, wrapped by each of `roots` and by no other root key. Data is not touched. It takes
    /// nothing back from whoever unlocked an older generation: only [`rotate`](Self::rotate) and resealing do.
    ///
    /// # Errors
    ///
    /// What a provider of `roots` reports: each has to wrap and to unwrap; of several of one name, one that is out of reach may be missing. `store-conflict`, those of unlocking and of the store.
    pub async fn rewrap(&self, keyspace: &str, roots: &RootKeys) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.rewrap(roots.iter()).await?;
        self.publish(file, over, KeyChange::Rewrapped).await
    }

    /// Lets one more root key unlock the keyring: a second region or provider, or an offline escrow key. Any one unlocks, so the
    /// weakest decides. It is stored only after the root key was seen to unwrap what it wrapped.
    ///
    /// # Errors
    ///
    /// `state-refused` where it unlocks the keyring already; what its provider reports; `store-conflict`, those of unlocking and of
    /// the store.
    pub async fn add_root(&self, keyspace: &str, root: &dyn RootKey) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.add_root(root).await?;
        self.publish(file, over, KeyChange::RootAdded).await
    }

    /// Takes a root key off the keyring. The keys get a new KEK, which that root key never saw, so each root key that
    /// stays has to be trusted here and to answer.
    ///
    /// # Errors
    ///
    /// `state-refused` where it does not unlock the keyring, is the last one, or another one that stays is not trusted here; what a
    /// provider reports; `store-conflict`, those of unlocking and of the store.
    pub async fn remove_root(&self, keyspace: &str, provider: &str, root_key: &str) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let stay = opened.roots_without(provider, root_key, &self.roots)?;
        let file = opened.rewrap(stay.into_iter()).await?;
        self.publish(file, over, KeyChange::RootRemoved).await
    }

    async fn set_state(
        &self,
        keyspace: &str,
        key_id: KeyId,
        state: KeyState,
        change: KeyChange,
    ) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.set_state(key_id, state, self.clock.unix_now())?;
        self.publish(file, over, change).await
    }

    /// The newest generation, unlocked, and its number.
    async fn open(&self, keyspace: &str) -> Result<(Opened, Option<u64>), Error> {
        let stored = self.stored(keyspace).await?;
        let mut failed = Vec::new();
        let opened = Opened::of(&self.options, keyspace, &self.roots, &stored, &mut failed).await;
        if let Some(observer) = &self.observer {
            for failure in &failed {
                failure.tell(keyspace, observer);
            }
        }
        let opened = opened?;
        // It was the newest when it was read.
        self.seen.see(&stored).map_err(|_| ErrorKind::StoreConflict)?;
        Ok((opened, Some(stored.generation())))
    }

    /// Stores a generation and reads it back: before that, no key in it seals (FORMAT 8.8).
    async fn publish(&self, file: KeyringFile, over: Option<u64>, change: KeyChange) -> Result<KeyringFile, Error> {
        if over.is_none() {
            // Whose keyring was stored and is gone gets no other one, under whose keys nothing opens.
            self.seen.newest(file.keyspace()).check(&file)?;
        }
        match self.store.put(&file, over).await {
            // Its answer may have been lost after it was done.
            Err(error) if error.is_retryable() => match self.store.get(file.keyspace()).await {
                Ok(Some(stored)) if stored == file => {}
                _ => return Err(error),
            },
            other => other?,
        }
        // Refused only where somebody here made the next one from it already.
        let _ = self.seen.see(&file);
        if let Some(observer) = &self.observer {
            let (keyspace, generation) = (file.keyspace(), file.generation());
            observer.key_event(&KeyEvent::Changed { keyspace, generation, change });
        }
        let stored =
            self.store.get(file.keyspace()).await.and_then(|stored| Ok(stored.ok_or(ErrorKind::KeyringMissing)?));
        // Not retryable: whoever repeats the change makes it twice.
        let stored = stored.map_err(|error| Error::from(ErrorKind::StoredUnread).caused_by(error))?;
        // Somebody may have made the next one already, from this one.
        let is_next = stored.generation() > file.generation() && Newest::of(&file).check(&stored).is_ok();
        if stored != file && !is_next {
            return Err(ErrorKind::StoreRefused.because("it gave back another keyring than it was given"));
        }
        Ok(file)
    }
}

impl fmt::Debug for KeyringAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringAdmin").field("roots", &self.roots).finish_non_exhaustive()
    }
}
