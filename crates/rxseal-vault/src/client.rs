//! Requests to Vault: with a token, within a deadline, tried again where that may help.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::failure::{Failure, Problem, problem_of};
use super::login::{Login, Token};
use crate::secret::reserve_wiping;

/// Answers of the Transit engine have less than a kilobyte.
const MAX_ANSWER: usize = 64 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Client {
    pub(super) http: reqwest::Client,
    /// The address without a slash at its end.
    pub(super) address: String,
    /// The address and the namespace, as errors name them.
    pub(super) origin: Arc<str>,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) login: Login,
    pub(super) deadline: Duration,
    pub(super) attempts: usize,
}

/// One POST, as often as it is tried.
pub(super) struct Call {
    path: String,
    body: Bytes,
    /// Logging in is the one call without a token.
    is_login: bool,
}

impl Call {
    pub(super) fn new(path: String, body: Zeroizing<Vec<u8>>) -> Self {
        // It is wiped once the last attempt lets go of it.
        Self { path, body: Bytes::from_owner(body), is_login: false }
    }

    pub(super) fn login(path: String, body: Zeroizing<Vec<u8>>) -> Self {
        Self { is_login: true, ..Self::new(path, body) }
    }
}

impl Client {
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn failure(&self, problem: Problem, path: &str) -> Failure {
        Failure::new(problem, path, &self.origin)
    }

    /// When what begins now has to be over.
    pub(super) fn ends(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.deadline).unwrap_or(now)
    }

    /// What `read` finds in an answer of status 200, with all attempts, logins and pauses until `ends`.
    pub(super) async fn call<T>(
        &self,
        call: &Call,
        ends: Instant,
        read: impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, Failure> {
        let attempt = async || {
            let answer = self.attempt(call, ends).await?;
            read(&answer).map_err(|problem| self.failure(problem, &call.path))
        };
        let tried = attempt
            .retry(self.backoff())
            .when(Failure::is_retryable)
            .adjust(|failure: &Failure, pause| pause_before(ends, failure, pause?));
        match timeout_at(ends, tried).await {
            Ok(answer) => answer,
            Err(_) => Err(self.failure(Problem::TimedOut(self.deadline), &call.path)),
        }
    }

    fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(self.attempts.saturating_sub(1))
    }

    async fn attempt(&self, call: &Call, ends: Instant) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let token = self.login.token(self, ends).await?;
        match self.post(call, Some(&token), ends).await {
            // A token can expire before its time: it was revoked, or used up. Another one is tried once.
            Err(failure) if failure.is_about_token() => match self.login.instead_of(&token, self, ends).await? {
                Some(token) => self.post(call, Some(&token), ends).await,
                None => Err(failure),
            },
            answer => answer,
        }
    }

    /// One request, and its answer if that is a success.
    pub(super) async fn post(
        &self,
        call: &Call,
        token: Option<&Token>,
        ends: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let limit = self.limit_of_one(ends);
        let broken = |cause| Failure::of_transport(cause, self.deadline, &call.path, &self.origin);
        let mut request = self
            .http
            .post(format!("{}/v1/{}", self.address, call.path))
            .timeout(limit)
            .header(CONTENT_TYPE, "application/json")
            // Agents and proxies of Vault can demand it: a browser that is led there by another site cannot send it.
            .header("x-vault-request", "true")
            .body(call.body.clone());
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            request = request.header("x-vault-token", token.value());
        }
        let mut response = request.send().await.map_err(broken)?;
        let mut body = Zeroizing::new(Vec::new());
        let read = read_bounded(&mut response, &mut body).await.map_err(|cause| match cause {
            Some(cause) => broken(cause),
            None => self.failure(Problem::TooLarge, &call.path),
        });
        if response.status().as_u16() == 200 {
            return read.map(|()| body);
        }
        let text = str::from_utf8(&body).unwrap_or_default();
        let problem = problem_of(response.status(), text, call.is_login);
        Err(self.failure(problem, &call.path).after(retry_after(&response)))
    }

    /// One attempt takes at most half of the time, so that a connection that hangs leaves some for another.
    fn limit_of_one(&self, ends: Instant) -> Duration {
        let parts = if self.attempts > 1 { 2 } else { 1 };
        let part = self.deadline.checked_div(parts).unwrap_or(self.deadline);
        part.min(ends.saturating_duration_since(Instant::now()))
    }
}

/// As long as backoff or the server say; none where the time would be over, so that the error is the real one.
fn pause_before(ends: Instant, failure: &Failure, pause: Duration) -> Option<Duration> {
    let pause = pause.max(failure.retry_after().unwrap_or_default());
    (pause < ends.saturating_duration_since(Instant::now())).then_some(pause)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Appends the answer's body, as far as it arrives; `Err(None)` where it is too large.
async fn read_bounded(response: &mut Response, body: &mut Vec<u8>) -> Result<(), Option<reqwest::Error>> {
    while let Some(piece) = response.chunk().await.map_err(Some)? {
        if body.len().saturating_add(piece.len()) > MAX_ANSWER {
            return Err(None);
        }
        reserve_wiping(body, piece.len());
        body.extend_from_slice(&piece);
    }
    Ok(())
}
