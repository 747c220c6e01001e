//! The source of a request's token.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderValue;
use rxseal::provider::{SecretFile, SecretFileError};
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::failure::{Failure, Problem};
use crate::message;
use crate::transport::{Call, Transport};

/// A Vault token has about 100 bytes, and a few thousand with an embedded JWT.
const MAX_TOKEN: usize = 8 * 1024;

pub(crate) enum Login {
    Token(Token),
    /// Read for every call: Vault Agent replaces it before its token expires.
    File(SecretFile),
    AppRole(Box<AppRole>),
}

/// A token as the header of a request, in memory that is wiped after its last use.
#[derive(Clone)]
pub(crate) struct Token {
    value: HeaderValue,
    /// Which login of its AppRole gave it.
    login: u64,
    /// Made during this call: another login would not give a better one.
    is_new: bool,
}

impl Token {
    /// `None` if it is not a token.
    pub(crate) fn new(text: Zeroizing<Vec<u8>>) -> Option<Self> {
        let printable = (1..=MAX_TOKEN).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
        if !printable {
            return None;
        }
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
        value.set_sensitive(true);
        Some(Self { value, login: 0, is_new: false })
    }

    pub(crate) fn value(&self) -> &HeaderValue {
        &self.value
    }
}

impl Login {
    pub(crate) async fn token(&self, transport: &Transport, ends: Instant) -> Result<Token, Failure> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::File(file) => read_file(file).await,
            Self::AppRole(role) => role.token(None, transport, ends).await,
        }
    }

    /// A token other than the refused one, or `None` if there is no other.
    pub(crate) async fn instead_of(
        &self,
        refused: &Token,
        transport: &Transport,
        ends: Instant,
    ) -> Result<Option<Token>, Failure> {
        match self {
            Self::Token(_) => Ok(None),
            Self::File(file) => {
                let token = read_file(file).await?;
                Ok((token.value != refused.value).then_some(token))
            }
            Self::AppRole(_) if refused.is_new => Ok(None),
            Self::AppRole(role) => role.token(Some(refused.login), transport, ends).await.map(Some),
        }
    }
}

/// Not on the runtime's threads: the file may be on a disk that does not answer.
async fn read_file(file: &SecretFile) -> Result<Token, Failure> {
    let failed = |problem| Failure::of_file(problem, file.path());
    let asked = file.clone();
    let read = tokio::task::spawn_blocking(move || asked.read()).await;
    let mut text = read
        .unwrap_or(Err(SecretFileError::Unreadable(io::ErrorKind::Interrupted)))
        .map_err(|unfit| failed(Problem::TokenFile(unfit)))?;
    // Editors and `echo` put a line end there.
    let len = text.trim_ascii_end().len();
    text.truncate(len);
    Token::new(text).ok_or_else(|| failed(Problem::TokenText))
}

/// Logs in when a token is first needed, when two thirds of its time are over, and when it was refused.
pub(crate) struct AppRole {
    role_id: Zeroizing<String>,
    secret_id: Zeroizing<String>,
    mount: String,
    /// Logins that came to an end, successful or not.
    finished: AtomicU64,
    /// Locked during a login, so that callers at once make one.
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// When to replace it. `None` if it does not expire.
    until: Option<Instant>,
    /// Why the last login failed, if it did.
    failure: Option<Failure>,
}

impl AppRole {
    pub(crate) fn new(role_id: Zeroizing<String>, secret_id: Zeroizing<String>, mount: String) -> Self {
        Self { role_id, secret_id, mount, finished: AtomicU64::new(0), held: Mutex::default() }
    }

    /// `refused`: the login whose token must not be given again.
    async fn token(&self, refused: Option<u64>, transport: &Transport, ends: Instant) -> Result<Token, Failure> {
        let seen = self.finished.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        if let Some(token) = held.valid().filter(|token| Some(token.login) != refused) {
            return Ok(token);
        }
        // The login that this call waited for is this call's login too.
        if self.finished.load(Ordering::Acquire) != seen
            && let Some(failure) = &held.failure
        {
            return Err(failure.clone());
        }
        *held = Held::default();
        let login = self.log_in(transport, ends).await;
        let number = self.finished.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        match login {
            Ok((token, lease)) => {
                let token = Token { login: number, ..token };
                held.token = Some(token.clone());
                held.until = lease.and_then(|lease| Instant::now().checked_add(two_thirds(lease)));
                Ok(Token { is_new: true, ..token })
            }
            Err(failure) => {
                held.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// A token, and for how long it is valid.
    async fn log_in(&self, transport: &Transport, ends: Instant) -> Result<(Token, Option<Duration>), Failure> {
        let path = format!("auth/{}/login", self.mount);
        let failed = |problem| transport.failure(problem, &path);
        let body = message::login(&self.role_id, &self.secret_id).ok_or_else(|| failed(Problem::LoginRefused))?;
        let answer = transport.post(&Call::login(path.clone(), body), None, ends).await?;
        let (token, seconds) = message::read_login(&answer).map_err(failed)?;
        let token = Token::new(token).ok_or_else(|| failed(Problem::NoAnswer))?;
        Ok((token, (seconds > 0).then(|| Duration::from_secs(seconds))))
    }
}

impl Held {
    fn valid(&self) -> Option<Token> {
        let in_time = self.until.is_none_or(|until| Instant::now() < until);
        self.token.clone().filter(|_| in_time)
    }
}

fn two_thirds(lease: Duration) -> Duration {
    lease.checked_div(3).unwrap_or_default().saturating_mul(2)
}
