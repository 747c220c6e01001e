//! Helpers for your own tests, behind the feature `insecure-test-keys`: keyrings of random keys that end with the process, a check
//! that a value comes back, and a check that nothing leaks.
//!
//! Turn the feature on in `[dev-dependencies]` only. Even here no key is fixed.

mod keyrings;
mod leaks;
mod round_trips;

pub use keyrings::{
    create_keyring, force_key_state, force_key_state_with, insecure_keyring, insecure_keyring_file, rotate_keyring,
    rotate_keyring_with,
};
pub use leaks::assert_no_plaintext;
pub use round_trips::assert_round_trips;

pub use crate::clock::TestClock;
