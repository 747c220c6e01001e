//! What went wrong at Vault, in one line that says what to do. Texts are ours: of an answer nothing is quoted.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use rxseal::Error;
use rxseal::provider::SecretFileError;

/// One failed request, or the reason why it was not made.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    problem: Problem,
    /// `transit/decrypt/phi-root`
    path: Arc<str>,
    /// `https://vault:8200`, with the namespace; none where it is about a file.
    origin: Option<Arc<str>>,
    retry_after: Option<Duration>,
    cause: Option<Arc<reqwest::Error>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    // The way there
    NoConnection,
    Certificate,
    NoTls,
    NeedsTls,
    Broken,
    TimedOut(Duration),
    TooLarge,
    NoAnswer,
    Redirected,
    // The server
    RateLimited,
    Sealed,
    Standby,
    Unavailable(u16),
    Unexpected(u16),
    // Who asks
    Denied,
    TokenRefused,
    LoginRefused,
    LoginDenied,
    TokenFile(SecretFileError),
    TokenText,
    // What is asked
    NoNamespace,
    NoMount,
    NotTransit,
    NoKey,
    Derived,
    NotAead,
    NotBinding,
    VersionDisabled,
    Refused,
    // What is given and answered
    NotAWrap,
    WrongCiphertext,
    NotAKek,
}

impl Failure {
    pub(crate) fn new(problem: Problem, path: &str, origin: &Arc<str>) -> Self {
        let origin = Some(Arc::clone(origin));
        Self { problem, path: path.into(), origin, retry_after: None, cause: None }
    }

    pub(crate) fn of_file(problem: Problem, file: &Path) -> Self {
        let path = file.display().to_string().into();
        Self { problem, path, origin: None, retry_after: None, cause: None }
    }

    /// Of a request that got no whole answer. The URL is left out of the cause; it holds no more than is said here.
    pub(crate) fn of_transport(cause: reqwest::Error, deadline: Duration, path: &str, origin: &Arc<str>) -> Self {
        let problem = match &cause {
            cause if cause.is_timeout() => Problem::TimedOut(deadline),
            cause if tells(cause, "certificate") => Problem::Certificate,
            cause if tells(cause, "InvalidContentType") => Problem::NoTls,
            cause if cause.is_connect() => Problem::NoConnection,
            _ => Problem::Broken,
        };
        Self { cause: Some(Arc::new(cause.without_url())), ..Self::new(problem, path, origin) }
    }

    pub(crate) fn after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// How long the server asked to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn is_retryable(&self) -> bool {
        matches!(
            self.problem,
            Problem::NoConnection
                | Problem::Broken
                | Problem::TimedOut(_)
                | Problem::NoAnswer
                | Problem::RateLimited
                | Problem::Sealed
                | Problem::Standby
                | Problem::Unavailable(_)
        )
    }

    /// What another token may change.
    pub(crate) fn is_about_token(&self) -> bool {
        matches!(self.problem, Problem::Denied | Problem::TokenRefused)
    }

    /// The server did not open what it has just made itself, in these words or in others.
    pub(crate) fn is_not_opened(&self) -> bool {
        matches!(self.problem, Problem::WrongCiphertext | Problem::Refused)
    }
}

/// What an answer other than success means. `text` is its body as far as it was read.
pub(crate) fn problem_of(status: StatusCode, text: &str, is_login: bool) -> Problem {
    match status.as_u16() {
        // A mount of another kind (KV) answers 204 to whatever it is sent.
        200..=299 if is_login => Problem::Unexpected(status.as_u16()),
        200..=299 => Problem::NotTransit,
        300..=399 => Problem::Redirected,
        400 => match problem_of_400(text) {
            Problem::NeedsTls => Problem::NeedsTls,
            _ if is_login => Problem::LoginRefused,
            problem => problem,
        },
        401 | 403 if is_login => Problem::LoginDenied,
        // OpenBao and Vault say it in this form where the token is good and its policies are not.
        403 if text.contains("1 error occurred") && !text.contains("invalid token") => Problem::Denied,
        401 | 403 => Problem::TokenRefused,
        404 if text.contains("namespace not found") => Problem::NoNamespace,
        404 => Problem::NoMount,
        405 if !is_login => Problem::NotTransit,
        429 => Problem::RateLimited,
        472 | 473 => Problem::Standby,
        503 if text.contains("sealed") => Problem::Sealed,
        // 412: the node has not yet heard of a change that the token depends on.
        status @ (408 | 412 | 500..=599) => Problem::Unavailable(status),
        status => Problem::Unexpected(status),
    }
}

/// Words of OpenBao 2.7 and Vault 1.x. Where others stand one day, the general text is shown.
fn problem_of_400(text: &str) -> Problem {
    const WORDS: &[(&str, Problem)] = &[
        // Of the web server under them.
        ("HTTP request to an HTTPS server", Problem::NeedsTls),
        ("encryption key not found", Problem::NoKey),
        ("key derivation", Problem::Derived),
        ("non-AEAD", Problem::NotAead),
        ("too old", Problem::VersionDisabled),
        ("message authentication failed", Problem::WrongCiphertext),
        ("invalid ciphertext", Problem::WrongCiphertext),
    ];
    WORDS.iter().find(|(word, _)| text.contains(word)).map_or(Problem::Refused, |(_, problem)| *problem)
}

/// reqwest does not tell a certificate that is not trusted from a port that is closed; rustls's texts do. Only our text and
/// whether to try again depend on it.
fn tells(error: &reqwest::Error, word: &str) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.to_string().contains(word) {
            return true;
        }
        next = cause.source();
    }
    false
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.problem {
            Problem::TokenFile(unfit) if unfit.is_permissions() => Self::root_key_permissions(failure),
            _ => Self::from_provider(failure.is_retryable(), failure),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match self.problem {
            Problem::NoConnection => write!(f, "cannot connect to Vault: check the address, the port and the firewall"),
            Problem::Certificate => {
                write!(
                    f,
                    "Vault's TLS certificate is not trusted: give its CA (`ca_certificate_pem`, or VAULT_CACERT for the command), and \
                           check that the address is a name in the certificate"
                )
            }
            Problem::Broken => write!(f, "the connection to Vault broke before the answer was whole"),
            Problem::NoTls => write!(f, "the server does not speak TLS there: check the port of the address"),
            Problem::NeedsTls => write!(f, "the server speaks TLS there: begin the address with `https://`"),
            Problem::TimedOut(deadline) => write!(
                f,
                "Vault did not answer in time: look at its load and at the network, or allow more than {deadline:?} with \
                 `deadline`"
            ),
            Problem::TooLarge => write!(f, "the answer is larger than any of Vault: check the address"),
            Problem::NoAnswer => write!(f, "the answer is none of Vault's: check the address, and proxies on the way"),
            Problem::Redirected => {
                write!(
                    f,
                    "Vault answered with a redirect, which is not followed: give the address of the active node \
                           or of a load balancer that finds it"
                )
            }
            Problem::RateLimited => write!(f, "Vault limits the rate of requests: raise the quota or ask less often"),
            Problem::Sealed => write!(f, "Vault is sealed: unseal it"),
            Problem::Standby => {
                write!(f, "the node is a standby that does not answer: give the address of the active node")
            }
            Problem::Unavailable(status) => write!(f, "Vault is unavailable (status {status}): look at its log"),
            Problem::Unexpected(status) => write!(f, "Vault answered with the unexpected status {status}"),
            Problem::Denied => {
                write!(f, "the token's policies do not allow this: grant it the capability `update` on `{path}`")
            }
            Problem::TokenRefused => {
                write!(
                    f,
                    "Vault does not accept the token: it has expired, was revoked or is of another namespace, \
                           or its policies lack the capability `update` on `{path}`"
                )
            }
            Problem::LoginRefused => {
                write!(
                    f,
                    "Vault refused the AppRole login: the role id or the secret id is wrong, expired or used up; \
                           make a new secret id"
                )
            }
            Problem::LoginDenied => {
                write!(
                    f,
                    "Vault did not allow the AppRole login: check that the auth method is mounted there, and the \
                           addresses to which the role is bound"
                )
            }
            Problem::TokenFile(unfit) => write!(f, "the file with the token cannot be read: {unfit}"),
            Problem::TokenText => {
                write!(
                    f,
                    "what should be a token is none: it is empty, too long or has other than printable characters"
                )
            }
            Problem::NoNamespace => write!(f, "the namespace does not exist, or this server has none"),
            Problem::NoMount => write!(f, "nothing is mounted there: check the mount and the namespace, or enable it"),
            Problem::NotTransit => write!(f, "what is mounted there is no Transit engine: check the mount"),
            Problem::NoKey => {
                write!(f, "the Transit key does not exist: check its name, or create it with type=aes256-gcm96")
            }
            Problem::Derived => {
                write!(f, "the Transit key was created with derived=true: create one with type=aes256-gcm96 alone")
            }
            Problem::NotAead | Problem::NotBinding => {
                write!(
                    f,
                    "this Transit key or server does not bind associated data: create a key with \
                           type=aes256-gcm96, on Vault 1.9, OpenBao 2.0 or later"
                )
            }
            Problem::VersionDisabled => {
                write!(
                    f,
                    "the wrap is of a version of the Transit key that is disabled: lower its \
                           min_decryption_version, rewrap the keyring, then raise it again"
                )
            }
            Problem::Refused => write!(f, "Vault refused the request as it is: look at its audit log"),
            Problem::NotAWrap => write!(f, "the wrapped key is none of a Transit engine: it was changed or cut off"),
            Problem::WrongCiphertext => {
                write!(f, "Vault does not open the wrapped key: it is of another key, keyspace or keyring, or changed")
            }
            Problem::NotAKek => write!(f, "what Vault opened is no key of 32 bytes"),
        }?;
        match &self.origin {
            Some(origin) => write!(f, " ({path} at {origin})"),
            None => write!(f, " ({path})"),
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause: &(dyn StdError + 'static) = self.cause.as_deref()?;
        Some(cause)
    }
}
