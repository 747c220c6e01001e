//! Helpers for your own tests, behind the feature `insecure-test-keys`: keyrings of random keys that end with the process, a check
//! that a value comes back, that nothing leaks, and that what was stored is sealed.
//!
//! Turn the feature on in `[dev-dependencies]` only. Even here no key is fixed.
//!
//! ```
//! use rxseal::{Access, ErrorCode, Purpose, phi, testing};
//! # fn main() -> Result<(), rxseal::Error> {
//! let keys = testing::insecure_keyring("pharmacy-17")?.unobserved();
//! let access = Access::new("user:kim.rph", Purpose::TREAT)?;
//! let token = keys.record("prescription", 1001)?.seal::<phi::Drug>("warfarin 5 MG")?;
//!
//! let elsewhere = keys.record("prescription", 1002)?;
//! let refused = elsewhere.opened_by(&access).open::<phi::Drug, String>(&token).unwrap_err();
//! assert_eq!(refused.code(), ErrorCode::OpenFailed);
//! # Ok(())
//! # }
//! ```

mod keyrings;
mod leaks;
mod round_trips;
mod stored;

pub use keyrings::{
    create_keyring, force_key_state, force_key_state_with, insecure_keyring, insecure_keyring_file, rotate_keyring,
    rotate_keyring_with,
};
pub use leaks::assert_no_plaintext;
pub use round_trips::assert_round_trips;
pub use stored::{Stored, assert_sealed};

pub use crate::clock::TestClock;
