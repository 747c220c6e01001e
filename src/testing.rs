//! Helpers for your own tests, behind the feature `insecure-test-keys`: keyrings of random keys that end with the process, a check
//! that a value comes back, and a check that nothing leaks.
//!
//! Turn the feature on in `[dev-dependencies]` only. Even here no key is fixed.

mod leaks;
mod round_trips;

pub use leaks::assert_no_plaintext;
pub use round_trips::assert_round_trips;

pub use crate::clock::TestClock;

use crate::aead::Suite;
use crate::error::Error;
use crate::key::KeyringFile;
use crate::keyring::{Keyring, Unlocked};
use crate::root_key::LocalRootKey;
use crate::root_key::{RootKeys, run_local};

impl Keyring {
    /// An unlocked keyring of new random keys that are stored nowhere: when the process ends, everything sealed with it is lost.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the keyspace is not a name, and `random-failed`.
    pub fn insecure_for_tests(keyspace: &str) -> Result<Unlocked, Error> {
        insecure_keyring(keyspace)
    }
}

/// The same as [`Keyring::insecure_for_tests`].
///
/// # Errors
///
/// `invalid-id` if the keyspace is not a name, and `random-failed`.
pub fn insecure_keyring(keyspace: &str) -> Result<Unlocked, Error> {
    let (roots, file) = insecure_keyring_file(keyspace)?;
    run_local(Keyring::unlock(keyspace, &roots, &file))
}

/// A new random root key, and a keyring file that it unlocks.
///
/// # Errors
///
/// `invalid-id` if the keyspace is not a name, and `random-failed`.
pub fn insecure_keyring_file(keyspace: &str) -> Result<(RootKeys, KeyringFile), Error> {
    let roots = RootKeys::from(LocalRootKey::generate()?);
    let file = run_local(Keyring::create(keyspace, &roots, Suite::default()))?;
    Ok((roots, file))
}
