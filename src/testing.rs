//! For your own tests, behind the feature `insecure-test-keys`: keyrings of random keys that are gone with the process, and
//! a check that nothing leaks.
//!
//! Put the feature into `[dev-dependencies]` only. There is no fixed key here either.

pub use crate::clock::TestClock;

use crate::aead::Suite;
use crate::error::Error;
use crate::key::KeyringFile;
use crate::keyring::{Keyring, Unlocked};
use crate::provider::{RootKeys, run_local};
use crate::providers::LocalRootKey;

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

/// Fails where the `Debug` text of `value` contains one of `canaries`.
///
/// For structs whose fields are plain types under `with = "Sealing::<..>"`: a derived `Debug` prints them.
///
/// ```
/// use rxseal::{Phi, phi};
/// #[derive(Debug)]
/// struct Refill { drug: Phi<String, phi::Drug> }
/// let refill = Refill { drug: "warfarin 5 MG".to_owned().into() };
/// rxseal::testing::assert_no_plaintext(&refill, &["warfarin"]);
/// ```
///
/// # Panics
///
/// Where it does, without showing the text.
#[track_caller]
pub fn assert_no_plaintext(value: &dyn std::fmt::Debug, canaries: &[&str]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        let found = canaries.iter().position(|canary| !canary.is_empty() && text.contains(canary));
        assert!(found.is_none(), "the Debug text contains canary number {}", found.unwrap_or_default());
    }
}
