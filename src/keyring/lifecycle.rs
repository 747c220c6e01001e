//! Administrative calls: each unlocks the file anew and gives a new file of the next generation (FORMAT 8.8).

use super::Keyring;
use super::opened::{Opened, wrap_for_all};
use super::unlock::UnlockOptions;
use crate::aead::Suite;
use crate::backend::Backend;
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{KeyId, Name};
use crate::key::{KeyState, KeyUse, KeyringFile, NewKey, fingerprint, seal_body};
use crate::root_key::{Kek, KekContext, RootKeys};

impl Keyring {
    /// Makes a new keyring for `keyspace`, with one DEK of `suite` and one index root, wrapped by every root key of `roots`.
    ///
    /// Store the file, read it back and [`unlock`](Self::unlock) what was read: only then do its keys seal.
    /// [`KeyringAdmin`](crate::keys::KeyringAdmin) does that with a store.
    ///
    /// # Errors
    ///
    /// `invalid-id` where the keyspace is no name, `random-failed`, and what a provider of `roots` reports. Every wrap is
    /// verified by unwrapping it again; `unlock-failed` where that gives another key. Of several root keys of one name (the replicas of a
    /// multi-region key) the first that answers wraps, and the others have to unwrap that, unless they are out of reach.
    pub async fn create(keyspace: &str, roots: &RootKeys, suite: Suite) -> Result<KeyringFile, Error> {
        let name = Name::parse("keyspace", keyspace)?;
        let (now, backend) = (Clock::default().unix_now(), Backend::default());
        let kek = Kek::generate()?;
        let kek_fingerprint = fingerprint(backend, kek.secret(), keyspace)?;
        let dek = NewKey::generate(backend, keyspace, KeyUse::Seal, Some(suite), KeyState::Active, now, &[])?;
        let taken = std::slice::from_ref(&dek.info);
        let index = NewKey::generate(backend, keyspace, KeyUse::Index, None, KeyState::Active, now, taken)?;
        let context = KekContext { keyspace, fingerprint: &kek_fingerprint };
        let wraps = wrap_for_all(roots.iter(), &kek, context).await?;
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
        let opened = Opened::of(&options, keyspace, roots, stored, &mut Vec::new()).await?;
        Ok(opened.rotate(Clock::default().unix_now())?.0)
    }

    /// Gives a key that is not primary another state, `Deactivated`, `Compromised` or `Destroyed`, whatever is still under it. For a
    /// keyring file in hand; with a store, [`KeyringAdmin`](crate::keys::KeyringAdmin) asks what is left before it destroys.
    ///
    /// A destroyed key's bytes are not in the new file. They mean nothing only once no older file exists, and every token
    /// under it is gone for good, as is every subject key wrapped under it: count and rewrap them first.
    ///
    /// # Errors
    ///
    /// `state-refused` where the key is primary (rotate first) or destroyed, where an active key is to be destroyed
    /// (deactivate it first), where a compromised one is to be anything but destroyed, or for any other state;
    /// `unknown-key`; those of [`unlock`](Self::unlock).
    pub async fn force_state(
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
        key_id: KeyId,
        state: KeyState,
    ) -> Result<KeyringFile, Error> {
        Self::force_state_with(UnlockOptions::default(), keyspace, roots, stored, key_id, state).await
    }

    /// As [`force_state`](Self::force_state), with the checks of [`rotate_with`](Self::rotate_with).
    ///
    /// # Errors
    ///
    /// Also `keyring-too-old` and `pin-mismatch`.
    pub async fn force_state_with(
        options: UnlockOptions,
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
        key_id: KeyId,
        state: KeyState,
    ) -> Result<KeyringFile, Error> {
        let opened = Opened::of(&options, keyspace, roots, stored, &mut Vec::new()).await?;
        opened.set_state(key_id, state, Clock::default().unix_now())
    }
}
