//! Requests to Vault: with a token and a deadline, and tried again if that may help.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::failure::{Failure, Problem};
use crate::login::Login;
use crate::transport::{Call, Transport};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Client {
    pub(crate) transport: Transport,
    pub(crate) login: Login,
}

impl Client {
    /// Reads an answer with status 200. All attempts, logins and pauses end at `ends`.
    pub(crate) async fn call<T>(
        &self,
        call: &Call,
        ends: Instant,
        read: impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, Failure> {
        let attempt = async || {
            let answer = self.attempt(call, ends).await?;
            read(&answer).map_err(|problem| self.transport.failure(problem, &call.path))
        };
        let tried = attempt
            .retry(self.backoff())
            .when(Failure::is_retryable)
            .adjust(|failure: &Failure, pause| pause_before(ends, failure, pause?));
        match timeout_at(ends, tried).await {
            Ok(answer) => answer,
            Err(_) => Err(self.transport.failure(Problem::TimedOut(self.transport.deadline), &call.path)),
        }
    }

    fn backoff(&self) -> ExponentialBuilder {
        let again = self.transport.attempts.saturating_sub(1);
        ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(usize::try_from(again).unwrap_or(usize::MAX))
    }

    async fn attempt(&self, call: &Call, ends: Instant) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let token = self.login.token(&self.transport, ends).await?;
        match self.transport.post(call, Some(token.value()), ends).await {
            // A token can become invalid before its time: it was revoked, or used up. Another token is tried once.
            Err(failure) if failure.is_about_token() => {
                match self.login.instead_of(&token, &self.transport, ends).await? {
                    Some(token) => self.transport.post(call, Some(token.value()), ends).await,
                    None => Err(failure),
                }
            }
            answer => answer,
        }
    }
}

/// The pause that backoff or the server asks for. No pause if it would pass the deadline, so that the caller gets the
/// real error.
fn pause_before(ends: Instant, failure: &Failure, pause: Duration) -> Option<Duration> {
    let pause = pause.max(failure.retry_after().unwrap_or_default());
    (pause < ends.saturating_duration_since(Instant::now())).then_some(pause)
}
