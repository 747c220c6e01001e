//! For your own tests, behind the feature `insecure-test-keys`: keyrings of random keys that are gone with the process, a check
//! that a value comes back, and one that nothing leaks.
//!
//! Put the feature into `[dev-dependencies]` only. There is no fixed key here either.

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
    /// An unlocked keyring of new random keys that nothing stores: what is sealed with it is lost with the process.
    ///
    /// # Errors
    ///
    /// `invalid-id`, `random-failed`.
    pub fn insecure_for_tests(keyspace: &str) -> Result<Unlocked, Error> {
        insecure_keyring(keyspace)
    }
}

/// As [`Keyring::insecure_for_tests`].
///
/// # Errors
///
/// `invalid-id`, `random-failed`.
pub fn insecure_keyring(keyspace: &str) -> Result<Unlocked, Error> {
    let (roots, file) = insecure_keyring_file(keyspace)?;
    run_local(Keyring::unlock(keyspace, &roots, &file))
}

/// A new random root key and a keyring file that it unlocks.
///
/// # Errors
///
/// `invalid-id`, `random-failed`.
pub fn insecure_keyring_file(keyspace: &str) -> Result<(RootKeys, KeyringFile), Error> {
    let roots = RootKeys::from(LocalRootKey::generate()?);
    let file = run_local(Keyring::create(keyspace, &roots, Suite::default()))?;
    Ok((roots, file))
}
