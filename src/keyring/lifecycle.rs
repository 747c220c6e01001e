//! Administrative calls: each unlocks the file anew and gives a new file of the next generation (FORMAT 8.8).

use std::time::{SystemTime, UNIX_EPOCH};

use super::Keyring;
use super::unlock::{UnlockOptions, open_file};
use crate::aead::Suite;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::id::{KeyId, Name};
use crate::key::{KeyState, KeyUse, KeyringFile, MAX_KEYS, NewKey, Wrap, fingerprint, invalid, seal_body};
use crate::provider::{Kek, KekContext, RootKey, RootKeys};
use crate::random;

impl Keyring {
    /// Makes a new keyring for `keyspace`, with one DEK of `suite` and one index root, wrapped by every root key of `roots`.
    ///
    /// Store the file, read it back and [`unlock`](Self::unlock) what was read: only then do its keys seal.
    ///
    /// # Errors
    ///
    /// `invalid-id` where the keyspace is no name, `random-failed`, and what a provider of `roots` reports. Every wrap is
    /// verified by unwrapping it again; `unlock-failed` where that gives another key.
    pub async fn create(keyspace: &str, roots: &RootKeys, suite: Suite) -> Result<KeyringFile, Error> {
        let name = Name::parse("keyspace", keyspace)?;
        let (now, backend) = (unix_now(), Backend::default());
        let kek = Kek::new(random::key()?);
        let kek_fingerprint = fingerprint(backend, kek.secret(), keyspace)?;
        let dek = NewKey::generate(backend, keyspace, KeyUse::Seal, Some(suite), KeyState::Active, now, &[])?;
        let taken = std::slice::from_ref(&dek.info);
        let index = NewKey::generate(backend, keyspace, KeyUse::Index, None, KeyState::Active, now, taken)?;
        let mut wraps = Vec::new();
        for root in roots.iter() {
            wraps.push(wrap_verified(root, &kek, KekContext { keyspace, fingerprint: &kek_fingerprint }).await?);
        }
        let file = KeyringFile {
            keyspace: name,
            generation: 1,
            kek_fingerprint,
            keys: vec![dek.info, index.info],
            wraps,
            body: Vec::new(),
        };
        seal_body(backend, file, &kek, vec![dek.secret, index.secret])
    }

    /// A new primary DEK of the same suite; the one before it is deactivated: it opens, and never seals again. Data is
    /// not touched: see [`Record::reseal`](crate::Record::reseal).
    ///
    /// Store the new file only over the one it was made from (compare-and-swap on the generation), so that of two
    /// rotations at once one fails instead of losing a key.
    ///
    /// # Errors
    ///
    /// Those of [`unlock`](Self::unlock), and `invalid-keyring` where it holds 1,024 keys already.
    pub async fn rotate(keyspace: &str, roots: &RootKeys, stored: &KeyringFile) -> Result<KeyringFile, Error> {
        Self::rotate_with(UnlockOptions::default(), keyspace, roots, stored).await
    }

    /// As [`rotate`](Self::rotate), refusing a file below a minimum generation or without a pinned key. State the generation
    /// that was live last: an older file put back by somebody else would become the newest one by a rotation, and the keys
    /// made since would be lost.
    ///
    /// # Errors
    ///
    /// Also `keyring-too-old` and `pin-mismatch`.
    pub async fn rotate_with(
        options: UnlockOptions,
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
    ) -> Result<KeyringFile, Error> {
        let (kek, mut body) = open_file(&options, keyspace, roots, stored).await?;
        if stored.keys.len() >= MAX_KEYS {
            return Err(invalid("it holds 1,024 keys already"));
        }
        let now = unix_now();
        let suite = stored.primary_suite();
        let fresh = NewKey::generate(
            options.backend,
            keyspace,
            KeyUse::Seal,
            Some(suite),
            KeyState::Active,
            now,
            &stored.keys,
        )?;
        let mut file = next_generation(stored);
        for key in file.keys.iter_mut().filter(|key| key.usage == KeyUse::Seal && key.primary) {
            key.primary = false;
            key.state = KeyState::Deactivated;
            key.changed = now;
        }
        file.keys.push(fresh.info);
        body.push(fresh.secret);
        seal_body(options.backend, file, &kek, body)
    }

    /// Gives a key that is not primary another state: `Deactivated`, `Compromised` or `Destroyed`.
    ///
    /// A destroyed key's bytes are not in the new file. They mean nothing only once no older file exists, and every token
    /// under it is gone for good, as is every subject key wrapped under it: count and rewrap them first.
    ///
    /// # Errors
    ///
    /// `state-refused` where the key is primary (rotate first) or destroyed, where an active key is to be destroyed
    /// (deactivate it first), where a compromised one is to be anything but destroyed, or for any other state;
    /// `unknown-key`; those of [`unlock`](Self::unlock).
    pub async fn set_state(
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
        key_id: KeyId,
        state: KeyState,
    ) -> Result<KeyringFile, Error> {
        Self::set_state_with(UnlockOptions::default(), keyspace, roots, stored, key_id, state).await
    }

    /// As [`set_state`](Self::set_state), with the checks of [`rotate_with`](Self::rotate_with).
    ///
    /// # Errors
    ///
    /// Also `keyring-too-old` and `pin-mismatch`.
    pub async fn set_state_with(
        options: UnlockOptions,
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
        key_id: KeyId,
        state: KeyState,
    ) -> Result<KeyringFile, Error> {
        let (kek, mut body) = open_file(&options, keyspace, roots, stored).await?;
        let mut file = next_generation(stored);
        let key = file.keys.iter_mut().find(|key| key.id == key_id);
        let key = key.ok_or_else(|| Error::from(ErrorKind::UnknownKey).with_key(key_id))?;
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
        key.state = state;
        key.changed = unix_now();
        if state == KeyState::Destroyed {
            body.retain(|key| key.id() != key_id);
        }
        seal_body(options.backend, file, &kek, body)
    }
}

fn refused(reason: &'static str, key_id: KeyId) -> Error {
    ErrorKind::StateRefused.because(reason).with_key(key_id)
}

fn next_generation(stored: &KeyringFile) -> KeyringFile {
    // `checked` refuses the one after the last.
    KeyringFile { generation: stored.generation.saturating_add(1), body: Vec::new(), ..stored.clone() }
}

/// FORMAT 8.4: a wrap is stored only after the same provider gave the KEK back.
async fn wrap_verified(root: &dyn RootKey, kek: &Kek, context: KekContext<'_>) -> Result<Wrap, Error> {
    use subtle::ConstantTimeEq;
    let wrapped = root.wrap_kek(kek, context).await?;
    let answered = root.unwrap_kek(&wrapped, context).await?;
    if !bool::from(answered.expose_bytes().ct_eq(kek.expose_bytes())) {
        return Err(ErrorKind::UnlockFailed.into());
    }
    Wrap::new(root.provider(), root.name(), wrapped)
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
