//! Keyring files for tests, without a store: programs change keyrings with a `KeyringAdmin`.

use crate::aead::Suite;
use crate::clock::Clock;
use crate::error::Error;
use crate::id::KeyId;
use crate::key::{IndexSchema, KeyState, KeyUse, KeyringFile};
use crate::keyring::{Keyring, Opened, UnlockOptions, Unlocked, create};
use crate::root_key::{LocalRootKey, RootKeys, run_local};

/// An unlocked keyring of new random keys that nothing stores: what is sealed with it is lost with the process. It has its index
/// root, so it can search.
///
/// # Errors
///
/// `invalid-id`, `random-failed`.
pub fn insecure_keyring(keyspace: &str) -> Result<Unlocked, Error> {
    let (roots, file) = insecure_keyring_file(keyspace)?;
    run_local(Keyring::unlock_with(UnlockOptions::default().with_index_roots(), keyspace, &roots, &file))
}

/// A new random root key and a keyring file that it unlocks.
///
/// # Errors
///
/// `invalid-id`, `random-failed`.
pub fn insecure_keyring_file(keyspace: &str) -> Result<(RootKeys, KeyringFile), Error> {
    let roots = RootKeys::from(LocalRootKey::generate()?);
    let file = run_local(create(keyspace, &roots, Suite::default()))?;
    Ok((roots, file))
}

/// A new keyring file, wrapped by every root key of `roots`, that nothing stores.
///
/// # Errors
///
/// Those of [`KeyringAdmin::create`](crate::keys::KeyringAdmin::create), but for those of the store.
pub async fn create_keyring(keyspace: &str, roots: &RootKeys, suite: Suite) -> Result<KeyringFile, Error> {
    create(keyspace, roots, suite).await
}

/// The next generation of `stored`, with a new primary DEK: for a test of how a program reads what older keys sealed.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::{Keyring, phi::Drug, run_local, testing};
/// let (roots, first) = testing::insecure_keyring_file("pharmacy-17")?;
/// let second = run_local(testing::rotate_keyring("pharmacy-17", &roots, &first))?;
///
/// let unlock = |file| run_local(Keyring::unlock("pharmacy-17", &roots, file)).map(|keys| keys.unobserved());
/// let old = unlock(&first)?.record("prescription", 1001)?.seal::<Drug>("warfarin 5 MG")?;
/// assert!(unlock(&second)?.needs_reseal(&old)?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`KeyringAdmin::rotate`](crate::keys::KeyringAdmin::rotate), but for those of the store.
pub async fn rotate_keyring(keyspace: &str, roots: &RootKeys, stored: &KeyringFile) -> Result<KeyringFile, Error> {
    rotate_keyring_with(UnlockOptions::default(), keyspace, roots, stored).await
}

/// As [`rotate_keyring`], with options for unlocking `stored`.
///
/// # Errors
///
/// Also `keyring-too-old`, `pin-mismatch` and `backend-failed`.
pub async fn rotate_keyring_with(
    options: UnlockOptions,
    keyspace: &str,
    roots: &RootKeys,
    stored: &KeyringFile,
) -> Result<KeyringFile, Error> {
    let opened = Opened::of(&options, keyspace, roots, stored, &mut Vec::new()).await?;
    Ok(opened.rotate(KeyUse::Seal, &IndexSchema::default(), Clock::default().unix_now())?.0)
}

/// The next generation of `stored`, in which a key is `Deactivated`, `Compromised` or `Destroyed`, whatever is still under it: for a
/// test of what a program does then.
///
/// # Errors
///
/// `state-refused` if the key is primary or destroyed, if an active key is to be destroyed, or if a compromised one is to be
/// anything but destroyed; `unknown-key`; those of unlocking.
pub async fn force_key_state(
    keyspace: &str,
    roots: &RootKeys,
    stored: &KeyringFile,
    key_id: KeyId,
    state: KeyState,
) -> Result<KeyringFile, Error> {
    force_key_state_with(UnlockOptions::default(), keyspace, roots, stored, key_id, state).await
}

/// As [`force_key_state`], with options for unlocking `stored`.
///
/// # Errors
///
/// Also `keyring-too-old`, `pin-mismatch` and `backend-failed`.
pub async fn force_key_state_with(
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
