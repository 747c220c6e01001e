//! A keyring file together with its KEK and keys, and every change of it. Each change makes the file of the next generation and opens
//! its body again, so that a file that cannot be read is never stored.

use std::sync::Arc;
use std::time::Duration;

use subtle::ConstantTimeEq;

use super::unlock::{OpenedFile, RootFailure, UnlockOptions, UnlockedBy, ids, open_file};
use crate::backend::Backend;
use crate::clock::{SKEW, begun_after, waited};
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::{
    BodyKey, IndexSchema, KeyInfo, KeyState, KeyUse, KeyringFile, MAX_KEYS, MAX_NUMBER, NewKey, Wrap, fingerprint,
    invalid, open_body, seal_body,
};
use crate::observe::{KeyEvent, Observer};
use crate::root_key::{Kek, KekContext, RootKey, RootKeys};

/// A genuine keyring file, unlocked for one change.
pub(crate) struct Opened {
    file: KeyringFile,
    backend: Backend,
    clock_is_right: bool,
    kek: Kek,
    body: Vec<BodyKey>,
    unlocked_by: UnlockedBy,
    /// Behind the keys, which are wiped when the observer hears of it.
    told: Option<Told>,
}

/// An observer that was told of an unlocked keyring, and is told when that is dropped.
struct Told {
    observer: Arc<dyn Observer>,
    keyspace: Box<str>,
    generation: u64,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.observer.key_event(&KeyEvent::Locked { keyspace: &self.keyspace, generation: self.generation });
    }
}

impl Opened {
    pub(crate) async fn of(
        options: &UnlockOptions,
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
        failed: &mut Vec<RootFailure>,
    ) -> Result<Self, Error> {
        let opened = open_file(options, keyspace, roots, stored, failed).await?;
        let (file, clock_is_right) = (stored.clone(), options.clock_is_right);
        let OpenedFile { kek, body, unlocked_by } = opened;
        Ok(Self { file, backend: options.backend, clock_is_right, kek, body, unlocked_by, told: None })
    }

    /// Tells `observer` how it was unlocked now, and that it is gone when it is.
    pub(crate) fn tell(&mut self, observer: &Arc<dyn Observer>) {
        let (keyspace, generation) = (self.file.keyspace.as_str(), self.file.generation);
        self.unlocked_by.tell(keyspace, generation, &ids(&self.body), &**observer);
        self.told = Some(Told { observer: Arc::clone(observer), keyspace: keyspace.into(), generation });
    }

    /// Adds a pre-active key, a DEK of the primary's suite. Every reader has it before a writer uses it.
    pub(crate) fn stage(
        mut self,
        usage: KeyUse,
        indexes: &IndexSchema,
        now: u64,
    ) -> Result<(KeyringFile, KeyId), Error> {
        let staged = self.file.keys.iter().find(|key| key.usage == usage && key.state == KeyState::PreActive);
        if let Some(key) = staged {
            let reason = match usage {
                KeyUse::Seal => "a key is staged already: promote or destroy it",
                KeyUse::Index => "an index root is staged already: promote or destroy it",
            };
            return Err(refused(reason, key));
        }
        let at = self.time(now)?;
        let id = self.add_key(usage, indexes, at)?;
        Ok((self.sealed()?, id))
    }

    /// Makes a staged key the primary of its use, after it was stored for `staging_time`.
    pub(crate) fn promote(
        mut self,
        usage: KeyUse,
        key_id: KeyId,
        now: u64,
        staging_time: Duration,
    ) -> Result<KeyringFile, Error> {
        let key = self.key(key_id)?;
        if key.usage != usage || key.state != KeyState::PreActive {
            let reason = match usage {
                KeyUse::Seal => "only a staged (pre-active) key can be promoted",
                KeyUse::Index => "only a staged (pre-active) index root can be promoted as one",
            };
            return Err(refused(reason, key));
        }
        let at = self.time(now)?;
        // Somebody who changed the keyring since may have had the better clock.
        let staged = self.times().filter(|time| *time <= at).fold(key.created.max(key.changed), u64::max);
        let reason = "its staging time has not passed: readers may not have it yet";
        waited(staged, at, staging_time, reason).map_err(|error| about(key, error))?;
        self.make_primary(usage, key_id, at);
        self.sealed()
    }

    /// Destroys a key. It must have been out of use for `unused_for`, so that no program still writes under it, and `counted` must have
    /// begun after that.
    pub(crate) fn destroy(
        self,
        usage: KeyUse,
        key_id: KeyId,
        now: u64,
        unused_for: Duration,
        counted: u64,
    ) -> Result<KeyringFile, Error> {
        let key = self.key(key_id)?;
        if key.usage != usage {
            return Err(uncounted(key));
        }
        // If the key was deactivated and later marked compromised, only the later time is known.
        let (state, changed) = (key.state, key.changed);
        may_become(key, KeyState::Destroyed)?;
        // Nothing was ever written under a staged one.
        if state != KeyState::PreActive {
            let reason = match usage {
                KeyUse::Seal => {
                    "programs that have not seen yet that another key seals may still seal under it, and that would be lost"
                }
                KeyUse::Index => {
                    "programs that have not seen yet that another index root is primary may still write index values under it, and \
                     no search would find those"
                }
            };
            waited(changed, now, unused_for, reason)
                .and_then(|()| begun_after(changed, now, unused_for, counted))
                .map_err(|error| about(key, error))?;
        }
        self.set_state(key_id, KeyState::Destroyed, now)
    }

    /// Makes a new primary key of this use at once.
    pub(crate) fn rotate(
        mut self,
        usage: KeyUse,
        indexes: &IndexSchema,
        now: u64,
    ) -> Result<(KeyringFile, KeyId), Error> {
        let at = self.time(now)?;
        let id = self.add_key(usage, indexes, at)?;
        self.make_primary(usage, id, at);
        Ok((self.sealed()?, id))
    }

    pub(crate) fn set_state(mut self, key_id: KeyId, state: KeyState, now: u64) -> Result<KeyringFile, Error> {
        may_become(self.key(key_id)?, state)?;
        for key in self.file.keys.iter_mut().filter(|key| key.id == key_id) {
            key.state = state;
            // Whatever this machine's clock says, a key that somebody else may hold is marked at once; but it is out of use no longer
            // than was written before. Of a destroyed key nobody asks that.
            key.changed = if state == KeyState::Destroyed { now } else { now.max(key.changed) };
        }
        if state == KeyState::Destroyed {
            self.body.retain(|key| key.id() != key_id);
        }
        self.sealed()
    }

    /// Puts the same keys under a new KEK, which only these root keys wrap.
    pub(crate) async fn rewrap(mut self, roots: impl Iterator<Item = &dyn RootKey>) -> Result<KeyringFile, Error> {
        let kek = Kek::generate()?;
        self.file.kek_fingerprint = fingerprint(self.backend, kek.secret(), self.file.keyspace())?;
        self.kek = kek;
        let context = KekContext { keyspace: self.file.keyspace(), fingerprint: &self.file.kek_fingerprint };
        self.file.wraps = wrap_for_all(roots, &self.kek, context).await?;
        self.sealed()
    }

    /// The root keys among `trusted` that still unlock it after one is removed.
    pub(crate) fn roots_without<'r>(
        &self,
        provider: &str,
        root_key: &str,
        trusted: &'r RootKeys,
    ) -> Result<Vec<&'r dyn RootKey>, Error> {
        let (off, stay): (Vec<_>, Vec<_>) = self.file.wraps.iter().partition(|wrap| wrap.is_of(provider, root_key));
        if off.is_empty() {
            return Err(ErrorKind::StateRefused.because("that root key does not unlock the keyring"));
        }
        if stay.is_empty() {
            return Err(ErrorKind::StateRefused.because("it is the last root key: add another one first"));
        }
        let is_of = |root: &dyn RootKey, wrap: &Wrap| wrap.is_of(root.provider(), root.name());
        let absent = stay.iter().filter(|wrap| !trusted.iter().any(|root| is_of(root, wrap)));
        let absent: Vec<_> = absent.map(|wrap| format!("{} {}", wrap.provider.as_str(), wrap.root_key)).collect();
        if !absent.is_empty() {
            return Err(ErrorKind::StateRefused
                .because("a root key that stays is not among the trusted ones: it has to wrap the new KEK")
                .caused_by(absent.join(", ")));
        }
        // Take all root keys of one name, because the first of them may be out of reach.
        Ok(trusted.iter().filter(|root| stay.iter().any(|wrap| is_of(*root, wrap))).collect())
    }

    /// Lets `root` unlock it too.
    pub(crate) async fn add_root(mut self, root: &dyn RootKey) -> Result<KeyringFile, Error> {
        if self.file.wraps.iter().any(|wrap| wrap.is_of(root.provider(), root.name())) {
            let text = "the keyring has a wrap of a root key of this provider and name already, and can have one of each. If this is \
                        another key, give it another name: a Vault key by `label`, one of an HSM by the token's serial number";
            return Err(ErrorKind::StateRefused.because(text));
        }
        let context = KekContext { keyspace: self.file.keyspace(), fingerprint: &self.file.kek_fingerprint };
        let wrap = wrap_verified(root, &self.kek, context).await?;
        self.file.wraps.push(wrap);
        self.sealed()
    }

    fn key(&self, key_id: KeyId) -> Result<&KeyInfo, Error> {
        let key = self.file.keys.iter().find(|key| key.id == key_id);
        key.ok_or_else(|| Error::from(ErrorKind::UnknownKey).with_key(key_id))
    }

    /// The time that a change is written with, where a waiting time begins with it: not before what the file knows. A clock that is
    /// behind that would let the wait end too early; so it is refused, unless somebody said that it is right.
    fn time(&self, now: u64) -> Result<u64, Error> {
        let latest = self.times().max().unwrap_or_default();
        let ahead = latest.saturating_sub(now);
        if ahead <= SKEW {
            Ok(now.max(latest))
        } else if self.clock_is_right {
            Ok(now)
        } else {
            let reason = "set this machine's clock right; or, where it is right and the time was written by one that was not, say \
                 so: `UnlockOptions::clock_is_right`, --clock-is-right";
            Err(Error::clock_skew(Duration::from_secs(ahead), reason))
        }
    }

    /// Every time in the file. When a key was made that is destroyed says nothing any more: so a time that was wrong goes with it.
    fn times(&self) -> impl Iterator<Item = u64> {
        let time_of = |key: &KeyInfo| match key.state {
            KeyState::Destroyed => key.changed,
            _ => key.changed.max(key.created),
        };
        self.file.keys.iter().map(time_of)
    }

    /// A new pre-active key. An index root is drawn again if prefixes of `indexes` would be alike (FORMAT 15.11).
    fn add_key(&mut self, usage: KeyUse, indexes: &IndexSchema, now: u64) -> Result<KeyId, Error> {
        if self.file.keys.len() >= MAX_KEYS {
            return Err(invalid("it holds 1,024 keys already"));
        }
        let suite = (usage == KeyUse::Seal).then(|| self.file.primary_suite());
        let (keyspace, taken) = (self.file.keyspace(), &self.file.keys);
        let fresh = loop {
            let fresh = NewKey::generate(self.backend, keyspace, usage, suite, KeyState::PreActive, now, taken)?;
            if usage == KeyUse::Seal || self.is_apart(indexes, &fresh)? {
                break fresh;
            }
        };
        let id = fresh.info.id;
        self.file.keys.push(fresh.info);
        self.body.push(fresh.secret);
        Ok(id)
    }

    fn is_apart(&self, indexes: &IndexSchema, fresh: &NewKey) -> Result<bool, Error> {
        let is_root = |id| self.file.keys.iter().any(|key| key.id == id && key.usage == KeyUse::Index);
        let others = self.body.iter().filter(|key| is_root(key.id())).map(BodyKey::secret);
        indexes.is_apart(self.backend, self.file.keyspace(), fresh.secret.secret(), others)
    }

    /// One primary for each use; the one before it is deactivated.
    fn make_primary(&mut self, usage: KeyUse, key_id: KeyId, now: u64) {
        for key in self.file.keys.iter_mut().filter(|key| key.usage == usage) {
            if key.id == key_id {
                key.primary = true;
                key.state = KeyState::Active;
                key.changed = now;
            } else if key.primary {
                key.primary = false;
                key.state = KeyState::Deactivated;
                key.changed = now;
            }
        }
    }

    /// The file of the next generation.
    fn sealed(mut self) -> Result<KeyringFile, Error> {
        // A file with a time that no reader takes would be stored, and then lost.
        if self.file.keys.iter().any(|key| key.created.max(key.changed) > MAX_NUMBER) {
            return Err(ErrorKind::StateRefused.because("the time is later than a keyring can hold"));
        }
        // `checked` refuses the one after the last.
        self.file.generation = self.file.generation.saturating_add(1);
        let file = seal_body(self.backend, self.file, &self.kek, self.body)?;
        open_body(self.backend, &file, &self.kek)?;
        Ok(file)
    }
}

/// A wrap by every name among `roots`. Several may have one name, as the replicas of a key in many regions do: the first of them
/// that answers wraps, and each further one has to unwrap that, or to be out of reach for now. One that cannot is another key.
pub(super) async fn wrap_for_all(
    roots: impl Iterator<Item = &dyn RootKey>,
    kek: &Kek,
    context: KekContext<'_>,
) -> Result<Vec<Wrap>, Error> {
    let mut wraps: Vec<Wrap> = Vec::new();
    let mut unreached: Vec<(&dyn RootKey, Error)> = Vec::new();
    for root in roots {
        let wrapped = match wraps.iter().find(|wrap| wrap.is_of(root.provider(), root.name())) {
            Some(wrap) => verify(root, &wrap.wrapped, kek, context).await.map(|()| None),
            None => wrap_verified(root, kek, context).await.map(Some),
        };
        match wrapped {
            Ok(wrap) => wraps.extend(wrap),
            Err(error) if error.is_retryable() => unreached.push((root, error)),
            Err(error) => return Err(error),
        }
    }
    let is_missing = |root: &dyn RootKey| !wraps.iter().any(|wrap| wrap.is_of(root.provider(), root.name()));
    match unreached.into_iter().find(|(root, _)| is_missing(*root)) {
        Some((_, error)) => Err(error),
        None => Ok(wraps),
    }
}

/// FORMAT 8.4: a wrap is stored only after the same provider gave the KEK back.
async fn wrap_verified(root: &dyn RootKey, kek: &Kek, context: KekContext<'_>) -> Result<Wrap, Error> {
    let wrapped = root.wrap_kek(kek, context).await?;
    verify(root, &wrapped, kek, context).await?;
    Wrap::new(root.provider(), root.name(), wrapped)
}

async fn verify(root: &dyn RootKey, wrapped: &[u8], kek: &Kek, context: KekContext<'_>) -> Result<(), Error> {
    let answered = root.unwrap_kek(wrapped, context).await?;
    if bool::from(answered.expose_bytes().ct_eq(kek.expose_bytes())) {
        Ok(())
    } else {
        Err(ErrorKind::UnlockFailed.into())
    }
}

/// The steps of FORMAT 8.7 that are made by their own call. A key never goes back.
fn may_become(key: &KeyInfo, state: KeyState) -> Result<(), Error> {
    let reason = match (key.state, state) {
        _ if key.primary => "it is the primary: rotate first",
        (KeyState::PreActive | KeyState::Active, KeyState::Deactivated)
        | (KeyState::PreActive | KeyState::Active | KeyState::Deactivated, KeyState::Compromised)
        | (KeyState::PreActive | KeyState::Deactivated | KeyState::Compromised, KeyState::Destroyed) => return Ok(()),
        (KeyState::Destroyed, _) => "it was destroyed",
        (KeyState::Active, KeyState::Destroyed) => "deactivate it before it is destroyed",
        _ => "that state does not follow on its present one",
    };
    Err(refused(reason, key))
}

/// Tokens say nothing of an index root, nor index values of a DEK.
pub(crate) fn uncounted(key: &KeyInfo) -> Error {
    let reason = match key.usage {
        KeyUse::Seal => "it is a key that seals, so count tokens and subject keys: `RemainingUse::counted`",
        KeyUse::Index => "it is an index root, so count index values: `RemainingUse::counted_of_index_root`",
    };
    about(key, ErrorKind::NotCounted.because(reason))
}

fn refused(reason: &'static str, key: &KeyInfo) -> Error {
    let kind = match key.usage {
        KeyUse::Seal => ErrorKind::StateRefused,
        KeyUse::Index => ErrorKind::IndexRootStateRefused,
    };
    about(key, kind.because(reason))
}

/// `error` as one about this key or index root.
fn about(key: &KeyInfo, error: Error) -> Error {
    match key.usage {
        KeyUse::Seal => error.with_key(key.id),
        KeyUse::Index => error.with_index_root(key.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root_key::run_local;
    use crate::testing::insecure_keyring_file;

    /// Among 1,500 definitions of one index, two have prefixes that are alike under a third of new index roots.
    #[test]
    fn an_index_root_is_drawn_until_its_prefixes_differ() {
        let mut indexes = IndexSchema::default();
        for at in 0..1_500_u16 {
            let mut digest = [0; 32];
            digest[..2].copy_from_slice(&at.to_be_bytes());
            indexes.add("patient.born", digest);
        }
        let (roots, file) = insecure_keyring_file("pharmacy-17").unwrap();
        let (options, mut failed) = (UnlockOptions::default(), Vec::new());
        let mut opened = run_local(Opened::of(&options, "pharmacy-17", &roots, &file, &mut failed)).unwrap();
        for _ in 0..3 {
            opened.add_key(KeyUse::Index, &indexes, 0).unwrap();
            let (fresh, others) = opened.body.split_last().unwrap();
            let is_root = |key: &&BodyKey| opened.key(key.id()).unwrap().usage == KeyUse::Index;
            let others = others.iter().filter(is_root).map(BodyKey::secret);
            assert!(indexes.is_apart(opened.backend, "pharmacy-17", fresh.secret(), others).unwrap());
        }
    }
}
