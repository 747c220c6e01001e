//! The first generation of a keyring (FORMAT 8.8).

use super::opened::wrap_for_all;
use crate::aead::Suite;
use crate::backend::Backend;
use crate::clock::Clock;
use crate::error::Error;
use crate::id::Name;
use crate::key::{KeyState, KeyUse, KeyringFile, NewKey, fingerprint, seal_body};
use crate::root_key::{Kek, KekContext, RootKeys};

/// Makes a new keyring for `keyspace`, with one DEK of `suite` and one index root, wrapped by every root key of `roots`.
///
/// Only once the file was stored, read back and unlocked do its keys seal.
///
/// # Errors
///
/// `invalid-id` if the keyspace is not a valid name, `random-failed`, and what a provider of `roots` reports. Every wrap is verified
/// by unwrapping it again; `unlock-failed` if that gives another key. Of several root keys of one name (the replicas of a multi-region
/// key) the first that answers wraps, and the others have to unwrap that, unless they are out of reach.
pub(crate) async fn create(keyspace: &str, roots: &RootKeys, suite: Suite) -> Result<KeyringFile, Error> {
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
