//! What calls of key services and devices have in common: they run in tokio, and they end in bounded time.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind};

/// The result of `call`, or of `late` where it takes longer than `deadline`.
pub(super) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    // Without one, tokio's timers and sockets panic.
    if Handle::try_current().is_err() {
        return Err(ErrorKind::RuntimeNeeded.into());
    }
    tokio::time::timeout(deadline, call).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
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
}
