//! What calls of key services and devices have in common: they run in tokio, and they end in bounded time.

use std::time::Duration;

use crate::error::Error;
use crate::runtime::need_runtime;

/// The result of `call`, or of `late` where it takes longer than `deadline`.
pub(super) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    need_runtime()?;
    tokio::time::timeout(deadline, call).await.unwrap_or_else(|_| Err(late()))
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
