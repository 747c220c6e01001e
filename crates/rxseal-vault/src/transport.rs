//! One request to Vault and its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::failure::{Failure, Problem, problem_of};

/// Answers of the Transit engine are smaller than a kilobyte.
const MAX_ANSWER: usize = 64 * 1024;

/// The way to a server, and how long it may take.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// The address without a slash at its end.
    pub(crate) address: String,
    /// The address and the namespace, as errors name them.
    pub(crate) origin: Arc<str>,
    pub(crate) namespace: Option<HeaderValue>,
    pub(crate) deadline: Duration,
    pub(crate) attempts: u32,
}

/// One POST, which may be tried several times.
pub(crate) struct Call {
    pub(crate) path: String,
    body: Bytes,
    /// Only a login needs no token.
    is_login: bool,
}

impl Call {
    pub(crate) fn new(path: String, body: Zeroizing<Vec<u8>>) -> Self {
        // The body is wiped when the last attempt drops it.
        Self { path, body: Bytes::from_owner(body), is_login: false }
    }

    pub(crate) fn login(path: String, body: Zeroizing<Vec<u8>>) -> Self {
        Self { is_login: true, ..Self::new(path, body) }
    }
}

impl Transport {
    /// When a call that begins now must end.
    pub(crate) fn ends(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.deadline).unwrap_or(now)
    }

    pub(crate) fn failure(&self, problem: Problem, path: &str) -> Failure {
        Failure::new(problem, path, &self.origin)
    }

    /// One request, and its answer if that is a success.
    pub(crate) async fn post(
        &self,
        call: &Call,
        token: Option<&HeaderValue>,
        ends: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let limit = self.limit_of_one(ends);
        let broken = |cause| Failure::of_transport(cause, self.deadline, &call.path, &self.origin);
        let mut request = self
            .http
            .post(format!("{}/v1/{}", self.address, call.path))
            .timeout(limit)
            .header(CONTENT_TYPE, "application/json")
            // Agents and proxies of Vault can require this header: a browser that another site sends there cannot set
            // it.
            .header("x-vault-request", "true")
            .body(call.body.clone());
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            request = request.header("x-vault-token", token);
        }
        let mut response = request.send().await.map_err(broken)?;
        // With all its room from the start: a `Vec` that grows leaves a copy behind.
        let mut body = Zeroizing::new(Vec::with_capacity(MAX_ANSWER));
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

    /// One attempt takes at most half of the time, so that a connection that hangs leaves time for another.
    fn limit_of_one(&self, ends: Instant) -> Duration {
        let parts = if self.attempts > 1 { 2 } else { 1 };
        let part = self.deadline.checked_div(parts).unwrap_or(self.deadline);
        part.min(ends.saturating_duration_since(Instant::now()))
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Appends as much of the answer's body as arrives. `Err(None)` if it is too large.
async fn read_bounded(response: &mut Response, body: &mut Vec<u8>) -> Result<(), Option<reqwest::Error>> {
    while let Some(piece) = response.chunk().await.map_err(Some)? {
        if body.len().saturating_add(piece.len()) > MAX_ANSWER {
            return Err(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(())
}
