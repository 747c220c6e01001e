//! What calls over a network or to a device have in common: they run in tokio, and they end in bounded time.

use std::panic::catch_unwind;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::error::{Error, ErrorKind};

/// Whether this is inside a tokio runtime with timers (feature `tokio_1`). Ask before a call that would panic without one.
///
/// tokio (1.54) shows whether a runtime has timers, which `Builder::enable_time` gives it, only by a panic when one is
/// made. That panic is caught here instead of taking down the caller. What the panic hook prints names the missing
/// setting. A program that aborts at panics does so here too.
///
/// # Errors
///
/// `runtime-needed`.
///
/// ```
/// assert_eq!(rxseal::provider::need_runtime().unwrap_err().code(), rxseal::ErrorCode::RuntimeNeeded);
/// ```
pub fn need_runtime() -> Result<(), Error> {
    Handle::try_current().map_err(|_| ErrorKind::RuntimeNeeded)?;
    catch_unwind(|| drop(sleep(Duration::ZERO))).map_err(|_| ErrorKind::RuntimeNeeded.into())
}

/// The result of `call`, or of `late` if it takes longer than `deadline` (feature `tokio_1`). `call` is dropped then.
///
/// # Errors
///
/// Those of `call` and `late`; `runtime-needed` outside of a tokio runtime with timers.
///
/// ```
/// use std::time::Duration;
///
/// use rxseal::Error;
/// use rxseal::provider::within;
///
/// # async fn ask() -> Result<Vec<u8>, Error> { Ok(Vec::new()) }
/// # async fn example() -> Result<(), Error> {
/// let late = || Error::from_provider(true, "the key service did not answer within 5 seconds");
/// let answer = within(Duration::from_secs(5), ask(), late).await?;
/// # Ok(())
/// # }
/// ```
pub async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    need_runtime()?;
    timeout(deadline, call).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::root_key::run_local;

    fn late() -> Error {
        Error::from_provider(true, "late")
    }

    #[tokio::test(start_paused = true)]
    async fn ends_in_bounded_time() {
        let error = within(Duration::from_secs(5), pending::<Result<(), Error>>(), late).await.unwrap_err();
        assert!(error.is_retryable());
        within(Duration::from_secs(5), ready(Ok(())), late).await.unwrap();
    }

    #[test]
    fn without_a_runtime_it_says_so() {
        let error = run_local(within(Duration::from_secs(5), pending::<Result<(), Error>>(), late)).unwrap_err();
        assert_eq!(error.code().as_str(), "runtime-needed");
    }

    #[test]
    fn without_timers_it_says_so() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(within(Duration::from_secs(5), ready(Ok(())), late)).unwrap_err();
        assert_eq!(error.code().as_str(), "runtime-needed");
    }
}
