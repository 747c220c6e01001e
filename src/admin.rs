//! Administrative changes of a stored keyring. Each one is a single compare-and-swap of its store.

mod check;
mod index_roots;
mod remaining_index_use;
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
use crate::key::{IndexSchema, KeyState, KeyUse, KeyringFile};
use crate::keyring::{GRACE, MAX_STALENESS, Newest, Opened, Seen, UnlockOptions, create};
use crate::observe::{KeyChange, KeyEvent, Observer};
use crate::root_key::{RootKey, RootKeys};
use crate::store::KeyringStore;

/// Makes and changes the keyrings of a store. It is for operators and deployment jobs: a program that seals and opens needs only
/// [`Keyring::unlock`](crate::Keyring::unlock).
///
/// Each call reads the newest generation, unlocks it with one of the trusted root keys, makes the change and opens the result again.
/// It stores the result only over the generation that it was made from. So if a call is interrupted, the store has either the old
/// generation or the new one. If two changes are made at once, one of them changes nothing and returns `store-conflict`
/// ([`Error::is_conflict`]). If the store's answer is lost, the call reads the store before it returns.
///
/// For each keyspace it remembers the newest generation that it unlocked or made. It refuses an older file that somebody put back, and
/// a file that was made from an older one (`keyring-too-old`).
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
/// // Every reader must have a key before a writer uses it. Here one process does both, so there is nothing to wait for.
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
    indexes: IndexSchema,
    clock: Clock,
    seen: Seen,
}

impl KeyringAdmin {
    /// The usual time that a key must be out of use before it is destroyed: 65 minutes. With its default settings, a `KeyringManager`
    /// goes on with a keyring for at most that long (5 minutes of staleness and 1 hour of grace).
    pub const UNUSED_FOR: Duration = MAX_STALENESS.saturating_add(GRACE);

    /// Manages the keyrings in `store`, each of which one of `roots` unlocks.
    pub fn new(store: impl KeyringStore + 'static, roots: RootKeys) -> Self {
        let (options, indexes, clock) = (UnlockOptions::default(), IndexSchema::default(), Clock::default());
        Self { store: Arc::new(store), roots, options, observer: None, indexes, clock, seen: Seen::default() }
    }

    /// Sets what the stored keyring must be before it is changed. State the latest generation as the minimum: otherwise, if somebody put
    /// an older file back, a change would make it the newest one, and the keys made since would be lost.
    #[must_use]
    pub fn options(mut self, options: UnlockOptions) -> Self {
        self.options = options;
        self
    }

    /// Tells `observer` of every change, of every keyring that is unlocked for one, and of every root key that fails.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Draws a new index root again if one of these indexes would then have two prefixes that are alike. By chance that happens once in
    /// 2^24 pairs, and programs would refuse to search (`index-prefix-collision`) until the index root is destroyed.
    #[must_use]
    pub fn indexes(mut self, indexes: IndexSchema) -> Self {
        self.indexes = indexes;
        self
    }

    /// Uses the times of `clock` instead of the machine's, for tests.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn clock(mut self, clock: &TestClock) -> Self {
        self.clock = clock.into();
        self
    }

    /// The stored keyring. It is not unlocked, so nothing in it has been authenticated yet.
    ///
    /// # Errors
    ///
    /// `keyring-missing`, `invalid-keyring`, `keyring-mismatch`, `keyring-too-old` if a newer one was seen here, and those of the store.
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
    /// `store-conflict` if the keyspace already has a keyring; `keyring-too-old` if it had one that is lost; those of
    /// the root keys and of the store; `invalid-id` if the keyspace is not a valid name; `random-failed`.
    pub async fn create(&self, keyspace: &str, suite: Suite) -> Result<KeyringFile, Error> {
        // The store is asked first, so that the usual mistake costs no call of a root key.
        if self.store.get(keyspace).await?.is_some() {
            return Err(ErrorKind::KeyringExists.into());
        }
        let file = create(keyspace, &self.roots, suite).await?;
        self.publish(file, None, KeyChange::Created).await
    }

    /// Adds a pre-active DEK, which opens and does not seal yet, so that every reader has it before a writer uses it. If several
    /// processes hold the keyring, this is the first half of a rotation, and [`promote`](Self::promote) is the second.
    ///
    /// # Errors
    ///
    /// `state-refused` if a DEK is staged already; `clock-skew` if the keyring has a time that is more than a minute in the future of
    /// this machine's clock; `store-conflict`, those of unlocking and of the store.
    pub async fn stage(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.stage(KeyUse::Seal, &self.indexes, self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::Staged(id)).await?, id))
    }

    /// Makes a staged DEK the primary, and deactivates the one before it. The DEK must have been in the store for `staging_time`, which
    /// should be at least the time after which every reader has looked for a newer generation (the staleness of its `KeyringManager`,
    /// or its deployment). If only one process holds the keyring, zero is right.
    ///
    /// # Errors
    ///
    /// `state-refused` if the key is not pre-active; the same, with the [time left](Error::time_left), if `staging_time` has not passed
    /// at `now` since the key was staged and since the keyring was last changed; `clock-skew` if the keyring has a time in the future of
    /// `now`; `unknown-key`, `store-conflict`, those of unlocking and of the store.
    pub async fn promote(
        &self,
        keyspace: &str,
        key_id: KeyId,
        now: SystemTime,
        staging_time: Duration,
    ) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.promote(KeyUse::Seal, key_id, unix_seconds(now), staging_time)?;
        self.publish(file, over, KeyChange::Promoted(key_id)).await
    }

    /// Makes a new DEK that seals at once, and deactivates the one before it. Use it if only one process holds the keyring: others cannot
    /// open what is sealed with the new DEK until they refresh. Data and wrapped subject keys do not change.
    ///
    /// # Errors
    ///
    /// `clock-skew` as for [`stage`](Self::stage); `store-conflict`, `invalid-keyring` if the keyring already has 1,024 keys, those of
    /// unlocking and of the store.
    pub async fn rotate(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.rotate(KeyUse::Seal, &self.indexes, self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::Rotated(id)).await?, id))
    }

    /// Takes a key or index root out of use: it still opens, or is still asked for, and nothing is written under it again.
    ///
    /// # Errors
    ///
    /// `state-refused` if the key is primary (rotate first) or not pre-active; `unknown-key`, `store-conflict`, those of unlocking and
    /// of the store.
    pub async fn deactivate(&self, keyspace: &str, key_id: KeyId) -> Result<KeyringFile, Error> {
        self.set_state(keyspace, key_id, KeyState::Deactivated, KeyChange::Deactivated(key_id)).await
    }

    /// Marks a key as compromised, because somebody else may hold it. From then on it opens only through the calls that say so, and
    /// values under it may be forged.
    ///
    /// An index root that is marked is still asked for, so that no search misses a row before it is indexed anew. Whoever holds it can guess
    /// what was indexed under it in every copy of the database; indexing anew protects only what is stored from then on.
    ///
    /// # Errors
    ///
    /// The same as for [`deactivate`](Self::deactivate).
    pub async fn compromise(&self, keyspace: &str, key_id: KeyId) -> Result<KeyringFile, Error> {
        self.set_state(keyspace, key_id, KeyState::Compromised, KeyChange::Compromised(key_id)).await
    }

    /// Destroys a key or an index root: its bytes are not in the new generation. Nothing may be left under it, and no program may still write
    /// under it. While a file of an older generation exists, for example in a backup of the store, the key is not really gone.
    ///
    /// A program that has not yet seen that another key seals goes on sealing under this one, at most for the staleness and grace of its
    /// `KeyringManager`. So at `now` the key must have been out of use for `unused_for`; until then the call is refused with the
    /// [time left](Error::time_left). Give [`UNUSED_FOR`](Self::UNUSED_FOR), or more if a manager has longer settings or a request holds
    /// its keyring for longer than a moment. If only one process holds the keyring, zero is right.
    ///
    /// A program may have sealed under the key while you counted. So the count of `remaining` must have begun after that time was over
    /// (with a wait of zero: after the key was out of use). An earlier count, even by a second, is `not-counted`, and you have to count
    /// again. A key that is still pre-active never sealed, so it needs no wait, and any count of it will do. All of this holds for an index root
    /// and the index values that are written under it.
    ///
    /// **No wait helps against a `Keyring`, `Sealer` or `Record` that a program keeps: it seals under its key for ever.** Restart such
    /// programs, or let them ask a `KeyringManager` for each request.
    ///
    /// The time out of use counts from [`KeyInfo::changed`](crate::keys::KeyInfo::changed). If the key was deactivated and later marked
    /// compromised, it counts from the mark. Nobody can tell a clock that is ahead when you call this from time that has passed.
    ///
    /// # Errors
    ///
    /// `key-in-use` if something is under the key; `not-counted` if another key was counted, or tokens for an index root, or the
    /// count began too early;
    /// `state-refused` if the key is primary or active, or was in use too recently; `clock-skew` if it went out of use, or was counted, in
    /// the future of `now`; `unknown-key`, `store-conflict`, those of unlocking and of the store.
    pub async fn destroy(
        &self,
        keyspace: &str,
        key_id: KeyId,
        remaining: RemainingUse,
        now: SystemTime,
        unused_for: Duration,
    ) -> Result<KeyringFile, Error> {
        remaining.check(key_id)?;
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.destroy(remaining.usage(), key_id, unix_seconds(now), unused_for, remaining.begun())?;
        self.publish(file, over, KeyChange::Destroyed(key_id)).await
    }

    /// Destroys a key like [`destroy`](Self::destroy), but without asking what is under it or how long it was out of use. Every token and
    /// every subject key under it, now or later, is lost for good. With a subject key every field of its patient is lost. Of an index root no
    /// data is lost, but searches miss every row that is indexed under it, until it is indexed anew.
    ///
    /// # Errors
    ///
    /// `state-refused` if the key is primary or active; `unknown-key`, `store-conflict`, those of unlocking and of the store.
    pub async fn force_destroy(&self, keyspace: &str, key_id: KeyId) -> Result<KeyringFile, Error> {
        self.set_state(keyspace, key_id, KeyState::Destroyed, KeyChange::DestroyedByForce(key_id)).await
    }

    /// Puts the same keys under a new KEK, which each of `roots` wraps and no other root key. Data does not change. Whoever unlocked an
    /// older generation still has its keys: only [`rotate`](Self::rotate) and resealing help against that.
    ///
    /// # Errors
    ///
    /// Those of the providers of `roots`: each root key has to wrap and to unwrap, but if several share a name, one that is out of reach
    /// may be missing. `store-conflict`, those of unlocking and of the store.
    pub async fn rewrap(&self, keyspace: &str, roots: &RootKeys) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.rewrap(roots.iter()).await?;
        self.publish(file, over, KeyChange::Rewrapped).await
    }

    /// Lets one more root key unlock the keyring, such as one in a second region, one of another provider, or an offline escrow key. Any
    /// one of them unlocks it, so the weakest decides. The change is stored only after the root key has unwrapped what it wrapped.
    ///
    /// # Errors
    ///
    /// `state-refused` if it already unlocks the keyring; those of its provider; `store-conflict`, those of unlocking and of the store.
    pub async fn add_root(&self, keyspace: &str, root: &dyn RootKey) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.add_root(root).await?;
        self.publish(file, over, KeyChange::RootAdded).await
    }

    /// Removes a root key from the keyring. The keys get a new KEK that this root key never saw. So every root key that stays must be
    /// trusted here, and must answer.
    ///
    /// # Errors
    ///
    /// `state-refused` if the root key does not unlock the keyring, if it is the last one, or if one that stays is not trusted here;
    /// those of the providers; `store-conflict`, those of unlocking and of the store.
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
        let mut opened = opened?;
        if let Some(observer) = &self.observer {
            opened.tell(observer);
        }
        // This generation was the newest when it was read.
        self.seen.see(&stored).map_err(|_| ErrorKind::StoreConflict)?;
        Ok((opened, Some(stored.generation())))
    }

    /// Stores a generation and reads it back: before that, no key in it seals (FORMAT 8.8).
    async fn publish(&self, file: KeyringFile, over: Option<u64>, change: KeyChange) -> Result<KeyringFile, Error> {
        if over.is_none() {
            // If a stored keyring is gone, a new one must not take its place: nothing would open under its keys.
            self.seen.newest(file.keyspace()).check(&file)?;
        }
        match self.store.put(&file, over).await {
            // The change may be stored although its answer was lost.
            Err(error) if error.is_retryable() => match self.store.get(file.keyspace()).await {
                Ok(Some(stored)) if stored == file => {}
                _ => return Err(error),
            },
            other => other?,
        }
        // This refuses only if somebody here has already made the next generation from it.
        let _ = self.seen.see(&file);
        if let Some(observer) = &self.observer {
            let (keyspace, generation) = (file.keyspace(), file.generation());
            observer.key_event(&KeyEvent::Changed { keyspace, generation, change });
        }
        let stored =
            self.store.get(file.keyspace()).await.and_then(|stored| Ok(stored.ok_or(ErrorKind::KeyringMissing)?));
        // Not retryable, because repeating the change would make it twice.
        let stored = stored.map_err(|error| Error::from(ErrorKind::StoredUnread).caused_by(error))?;
        // Somebody may already have made the next generation from this one.
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
