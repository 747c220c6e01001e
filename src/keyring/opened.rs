//! A keyring file with its KEK and keys in hand, and every change that can be made to it. Each gives the file of the next
//! generation, whose body was opened again: what cannot be read is never handed out to be stored.

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::unlock::{RootFailure, UnlockOptions, open_file};
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::{
    BodyKey, KeyInfo, KeyState, KeyUse, KeyringFile, MAX_KEYS, NewKey, Wrap, fingerprint, invalid, open_body, seal_body,
};
use crate::provider::{Kek, KekContext, RootKey, RootKeys};
use crate::random;

/// A genuine keyring file, unlocked for one change.
pub(crate) struct Opened {
    file: KeyringFile,
    backend: Backend,
    kek: Kek,
    body: Vec<BodyKey>,
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
        Ok(Self { file: stored.clone(), backend: options.backend, kek: opened.kek, body: opened.body })
    }

    /// A pre-active DEK of the primary's suite: it opens, so that every reader has it before a writer uses it.
    pub(crate) fn stage(mut self, now: u64) -> Result<(KeyringFile, KeyId), Error> {
        let staged = self.file.keys.iter().find(|key| key.usage == KeyUse::Seal && key.state == KeyState::PreActive);
        if let Some(key) = staged {
            return Err(refused("a key is staged already: promote or destroy it", key.id));
        }
        let id = self.add_key(KeyUse::Seal, KeyState::PreActive, now)?;
        Ok((self.sealed()?, id))
    }

    /// Makes a staged DEK the one that seals, once it was stored for `staging_time`.
    pub(crate) fn promote(mut self, key_id: KeyId, now: u64, staging_time: Duration) -> Result<KeyringFile, Error> {
        let key = self.key(key_id)?;
        if key.usage != KeyUse::Seal || key.state != KeyState::PreActive {
            return Err(refused("only a staged (pre-active) key can be promoted", key_id));
        }
        // A clock before the staging shows that one of both is wrong: no time has passed then.
        let staged_for = now.checked_sub(key.created).map(Duration::from_secs);
        if staged_for.is_none_or(|staged_for| staged_for < staging_time) {
            return Err(refused("its staging time has not passed: readers may not have it yet", key_id));
        }
        self.make_primary(KeyUse::Seal, key_id, now);
        self.sealed()
    }

    /// A new primary DEK at once.
    pub(crate) fn rotate(self, now: u64) -> Result<(KeyringFile, KeyId), Error> {
        self.replace_primary(KeyUse::Seal, now)
    }

    /// A new primary index root. Indexes made with the one before it are found with that one only.
    pub(crate) fn rotate_index_root(self, now: u64) -> Result<(KeyringFile, KeyId), Error> {
        self.replace_primary(KeyUse::Index, now)
    }

    pub(crate) fn set_state(mut self, key_id: KeyId, state: KeyState, now: u64) -> Result<KeyringFile, Error> {
        let key = self.key(key_id)?;
        if key.primary {
            return Err(refused("it is the primary key: rotate first", key_id));
        }
        match (key.state, state) {
            (KeyState::PreActive | KeyState::Active, KeyState::Deactivated)
            | (KeyState::PreActive | KeyState::Active | KeyState::Deactivated, KeyState::Compromised)
            | (KeyState::PreActive | KeyState::Deactivated | KeyState::Compromised, KeyState::Destroyed) => {}
            (KeyState::Destroyed, _) => return Err(refused("it was destroyed", key_id)),
            (KeyState::Active, KeyState::Destroyed) => {
                return Err(refused("deactivate it before it is destroyed", key_id));
            }
            _ => return Err(refused("that state does not follow on its present one", key_id)),
        }
        for key in self.file.keys.iter_mut().filter(|key| key.id == key_id) {
            key.state = state;
            key.changed = now;
        }
        if state == KeyState::Destroyed {
            self.body.retain(|key| key.id() != key_id);
        }
        self.sealed()
    }

    /// The same keys under a new KEK, which these root keys wrap, and no others.
    pub(crate) async fn rewrap(mut self, roots: impl Iterator<Item = &dyn RootKey>) -> Result<KeyringFile, Error> {
        let kek = Kek::new(random::key()?);
        self.file.kek_fingerprint = fingerprint(self.backend, kek.secret(), self.file.keyspace())?;
        self.kek = kek;
        let context = KekContext { keyspace: self.file.keyspace(), fingerprint: &self.file.kek_fingerprint };
        self.file.wraps = wrap_for_all(roots, &self.kek, context).await?;
        self.sealed()
    }

    /// The root keys among `trusted` that still unlock it once one is taken off.
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
        // All of one name: the first of them may be out of reach.
        Ok(trusted.iter().filter(|root| stay.iter().any(|wrap| is_of(*root, wrap))).collect())
    }

    /// Also lets `root` unlock it.
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

    fn replace_primary(mut self, usage: KeyUse, now: u64) -> Result<(KeyringFile, KeyId), Error> {
        let id = self.add_key(usage, KeyState::PreActive, now)?;
        self.make_primary(usage, id, now);
        Ok((self.sealed()?, id))
    }

    fn add_key(&mut self, usage: KeyUse, state: KeyState, now: u64) -> Result<KeyId, Error> {
        if self.file.keys.len() >= MAX_KEYS {
            return Err(invalid("it holds 1,024 keys already"));
        }
        let suite = (usage == KeyUse::Seal).then(|| self.file.primary_suite());
        let (keyspace, taken) = (self.file.keyspace(), &self.file.keys);
        let fresh = NewKey::generate(self.backend, keyspace, usage, suite, state, now, taken)?;
        let id = fresh.info.id;
        self.file.keys.push(fresh.info);
        self.body.push(fresh.secret);
        Ok(id)
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

fn refused(reason: &'static str, key_id: KeyId) -> Error {
    ErrorKind::StateRefused.because(reason).with_key(key_id)
}
