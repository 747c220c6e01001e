//! What calls of key services and devices have in common: they run in tokio, and they end in bounded time.

use std::panic::catch_unwind;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::error::{Error, ErrorKind};

/// `runtime-needed` where tokio's timers and sockets would panic.
///
/// Whether a runtime has timers, which `Builder::enable_time` gives it, tokio (1.54) tells in no other way than by a
/// panic when one is made. So that is caught here, once a call, instead of taking down the caller. What the panic hook
/// prints to it names the setting that is missing. A program that aborts at panics does so here too.
pub(super) fn need_runtime() -> Result<(), Error> {
    Handle::try_current().map_err(|_| ErrorKind::RuntimeNeeded)?;
    catch_unwind(|| drop(sleep(Duration::ZERO))).map_err(|_| ErrorKind::RuntimeNeeded.into())
}

/// The result of `call`, or of `late` where it takes longer than `deadline`.
#[cfg(any(feature = "aws-kms", feature = "pkcs11"))]
pub(super) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    need_runtime()?;
    tokio::time::timeout(deadline, call).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(all(test, any(feature = "aws-kms", feature = "pkcs11")))]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::provider::run_local;

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
        assert_eq!(error.code(), "runtime-needed");
    }

    #[test]
    fn without_timers_it_says_so() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(within(Duration::from_secs(5), ready(Ok(())), late)).unwrap_err();
        assert_eq!(error.code(), "runtime-needed");
    }
}
