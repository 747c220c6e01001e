//! Keyring files to store.

use rxseal::keys::{KeyringAdmin, KeyringFile, Suite};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::{RootKey, RootKeys};
use rxseal::store::{KeyringStore, MemoryStore};
use rxseal::{Error, Keyring, run_local};

/// The first `count` generations of a new keyring, the oldest first. Their root key protects nothing: they are for tests only.
///
/// # Errors
///
/// `invalid-id` if `keyspace` is not a legal name.
///
/// ```
/// let files = rxseal_conformance::generations("pharmacy-17", 3)?;
/// assert_eq!(files.iter().map(|file| file.generation()).collect::<Vec<_>>(), [1, 2, 3]);
/// # Ok::<(), rxseal::Error>(())
/// ```
pub fn generations(keyspace: &str, count: usize) -> Result<Vec<KeyringFile>, Error> {
    let admin = admin(MemoryStore::default());
    let mut files = Vec::with_capacity(count);
    for at in 0..count {
        files.push(match at {
            0 => run_local(admin.create(keyspace, Suite::default()))?,
            _ => run_local(admin.rotate(keyspace))?.0,
        });
    }
    Ok(files)
}

/// A first generation, and `count` different second generations made from it: what processes store if they change a
/// keyring at the same time.
///
/// # Errors
///
/// The same as [`generations`].
pub fn rivals(keyspace: &str, count: usize) -> Result<(KeyringFile, Vec<KeyringFile>), Error> {
    let first = run_local(admin(MemoryStore::default()).create(keyspace, Suite::default()))?;
    let mut rivals = Vec::with_capacity(count);
    for _ in 0..count {
        let store = MemoryStore::default();
        run_local(store.put(&first, None))?;
        rivals.push(run_local(admin(store).rotate(keyspace))?.0);
    }
    Ok((first, rivals))
}

/// An unlocked keyring, to make subject keys with.
pub(crate) fn keyring(keyspace: &str) -> Result<Keyring, Error> {
    let file = run_local(admin(MemoryStore::default()).create(keyspace, Suite::default()))?;
    Ok(run_local(Keyring::unlock(keyspace, &roots(), &file))?.unobserved())
}

fn admin(store: MemoryStore) -> KeyringAdmin {
    KeyringAdmin::new(store, roots())
}

fn roots() -> RootKeys {
    RootKeys::from(Clear)
}

/// A root key that protects nothing.
struct Clear;

impl RootKey for Clear {
    fn provider(&self) -> &'static str {
        "conformance"
    }

    fn name(&self) -> &'static str {
        "in-clear"
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, _: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(async move { Ok(kek.expose_bytes().to_vec()) })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], _: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move { Kek::from_bytes(wrapped) })
    }
}
