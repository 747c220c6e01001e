//! The only source of randomness: the operating system's generator, asked each time.
//!
//! No generator or counter of rxseal outlives a call, because both would repeat after a `fork` and in a restored snapshot of a
//! virtual machine (FORMAT 5.3). If a draw fails, the call is an error and writes nothing.

use getrandom::SysRng;
use rand_core::TryRng;

use crate::error::{Error, ErrorKind};
use crate::secret::SecretBytes;

/// Fills `bytes` from the operating system's generator, which is asked each time.
///
/// For nonces, salts and keys of a root key of your own.
///
/// # Errors
///
/// `random-failed`: the system gave none. What `bytes` holds then is not to be used.
///
/// ```
/// let mut nonce = [0; 12];
/// rxseal::provider::fill_random(&mut nonce)?;
/// # Ok::<(), rxseal::Error>(())
/// ```
pub fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    #[cfg(test)]
    if hooks::next_draw_fails() {
        return Err(ErrorKind::RandomFailed.into());
    }
    SysRng.try_fill_bytes(bytes).map_err(|_| ErrorKind::RandomFailed.into())
}

/// A new random key.
pub(crate) fn key() -> Result<SecretBytes<32>, Error> {
    let key = SecretBytes::try_fill(|bytes| fill(bytes))?;
    // FORMAT 1.8: a generator that returns only zeros is broken.
    if key.is_zero() { Err(ErrorKind::RandomFailed.into()) } else { Ok(key) }
}

/// Lets a test count the draws of its own thread, and make them fail.
#[cfg(test)]
pub(crate) mod hooks {
    use std::cell::Cell;

    thread_local! {
        static DRAWS: Cell<u64> = const { Cell::new(0) };
        static FAILING: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn next_draw_fails() -> bool {
        DRAWS.set(DRAWS.get() + 1);
        FAILING.get()
    }

    pub(crate) fn draws_in<T>(work: impl FnOnce() -> T) -> (T, u64) {
        let before = DRAWS.get();
        let result = work();
        (result, DRAWS.get() - before)
    }

    pub(crate) fn while_failing<T>(work: impl FnOnce() -> T) -> T {
        FAILING.set(true);
        let result = work();
        FAILING.set(false);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_draw_is_an_error() {
        let error = hooks::while_failing(|| key().unwrap_err());
        assert_eq!(error.code().as_str(), "random-failed");
        assert!(key().is_ok());
    }
}
