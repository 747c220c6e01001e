//! Failures of Vault, each as one line that says what to do. The texts are ours and quote nothing of an answer.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use rxseal::Error;
use rxseal::provider::SecretFileError;

/// One failed request, or why it was not sent.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    problem: Problem,
    /// `transit/decrypt/phi-root`
    path: Arc<str>,
    /// `https://vault:8200`, with the namespace. `None` for an error about a file.
    origin: Option<Arc<str>>,
    retry_after: Option<Duration>,
    cause: Option<Arc<reqwest::Error>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    // Connection
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
    // Login
    Denied,
    TokenRefused,
    LoginRefused,
    LoginDenied,
    TokenFile(SecretFileError),
    TokenText,
    // Key and mount
    NoNamespace,
    NoMount,
    NotTransit,
    NoKey,
    Derived,
    NotAead,
    NotBinding,
    VersionDisabled,
    Refused,
    // Wraps and other contents
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

    /// For a request without a complete answer. The cause leaves the URL out; the error already names the server and
    /// the path.
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

    /// The pause that the server asked for.
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

    /// Problems that another token may solve.
    pub(crate) fn is_about_token(&self) -> bool {
        matches!(self.problem, Problem::Denied | Problem::TokenRefused)
    }

    /// Whether the server did not open what it has just wrapped itself, in these words or in others.
    pub(crate) fn is_not_opened(&self) -> bool {
        matches!(self.problem, Problem::WrongCiphertext | Problem::Refused)
    }
}

/// The meaning of an answer other than success. `text` is as much of its body as was read.
pub(crate) fn problem_of(status: StatusCode, text: &str, is_login: bool) -> Problem {
    match status.as_u16() {
        // A mount of another kind (KV) answers 204 to any request.
        200..=299 if is_login => Problem::Unexpected(status.as_u16()),
        200..=299 => Problem::NotTransit,
        300..=399 => Problem::Redirected,
        400 => match problem_of_400(text) {
            Problem::NeedsTls => Problem::NeedsTls,
            _ if is_login => Problem::LoginRefused,
            problem => problem,
        },
        401 | 403 if is_login => Problem::LoginDenied,
        // OpenBao and Vault use this form if the token is valid but its policies do not allow the call.
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

/// Texts of OpenBao 2.7 and Vault 1.x. If they change one day, the general text is shown.
fn problem_of_400(text: &str) -> Problem {
    const WORDS: &[(&str, Problem)] = &[
        // From the web server below Vault.
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

/// reqwest does not tell an untrusted certificate from a closed port, but rustls's texts do. Only our text and whether
/// to try again depend on it.
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
            Problem::Certificate => write!(
                f,
                "Vault's TLS certificate is not trusted: give its CA (`ca_certificate_pem`, or VAULT_CACERT for the command), and \
                 check that the address is a name in the certificate"
            ),
            Problem::Broken => write!(
                f,
                "the connection to Vault broke before the answer was complete: check the network, and Vault's log"
            ),
            Problem::NoTls => write!(f, "the server does not speak TLS there: check the port of the address"),
            Problem::NeedsTls => write!(f, "the server speaks TLS there: begin the address with `https://`"),
            Problem::TimedOut(deadline) => write!(
                f,
                "Vault did not answer in time: look at its load and at the network, or allow more than {deadline:?} with \
                 `deadline`"
            ),
            Problem::TooLarge => write!(f, "the answer is too large to be from Vault: check the address"),
            Problem::NoAnswer => write!(f, "the answer is not from Vault: check the address, and any proxy before it"),
            Problem::Redirected => write!(
                f,
                "Vault answered with a redirect, which is not followed: give the address of the active node \
                 or of a load balancer that finds it"
            ),
            Problem::RateLimited => write!(f, "Vault limits the rate of requests: raise the quota or ask less often"),
            Problem::Sealed => write!(f, "Vault is sealed: unseal it"),
            Problem::Standby => {
                write!(f, "the node is a standby that does not answer: give the address of the active node")
            }
            Problem::Unavailable(status) => write!(f, "Vault is unavailable (status {status}): look at its log"),
            Problem::Unexpected(status) => write!(f, "Vault gave the unexpected status {status}: look at its log"),
            Problem::Denied => {
                write!(f, "the token's policies do not allow this: grant it the capability `update` on `{path}`")
            }
            Problem::TokenRefused => write!(
                f,
                "Vault does not accept the token: it has expired, was revoked or belongs to another namespace, \
                 or its policies lack the capability `update` on `{path}`"
            ),
            Problem::LoginRefused => write!(
                f,
                "Vault refused the AppRole login: the role id or the secret id is wrong, expired or used up; \
                 make a new secret id"
            ),
            Problem::LoginDenied => write!(
                f,
                "Vault did not allow the AppRole login: check that the auth method is mounted there, and the \
                 addresses that the role is bound to"
            ),
            Problem::TokenFile(unfit) => write!(f, "the file with the token cannot be read: {unfit}"),
            Problem::TokenText => write!(f, "the token is not valid: it is empty, too long or not printable"),
            Problem::NoNamespace => write!(f, "the namespace does not exist, or this server has none: check its name"),
            Problem::NoMount => write!(f, "nothing is mounted there: check the mount and the namespace, or enable it"),
            Problem::NotTransit => write!(f, "the mount is not a Transit engine: check its name"),
            Problem::NoKey => {
                write!(f, "the Transit key does not exist: check its name, or create it with type=aes256-gcm96")
            }
            Problem::Derived => {
                write!(f, "the Transit key was created with derived=true: create one with only type=aes256-gcm96")
            }
            Problem::NotAead | Problem::NotBinding => write!(
                f,
                "this Transit key or server does not bind associated data: create a key with \
                 type=aes256-gcm96, on Vault 1.9, OpenBao 2.0 or later"
            ),
            Problem::VersionDisabled => write!(
                f,
                "the wrap was made by a version of the Transit key that is disabled: lower its \
                 min_decryption_version, rewrap the keyring, then raise it again"
            ),
            Problem::Refused => write!(f, "Vault refused the request as invalid: look at its audit log"),
            Problem::NotAWrap => write!(f, "the wrapped key is not one of a Transit engine: it was changed or cut off"),
            Problem::WrongCiphertext => write!(
                f,
                "Vault does not open the wrapped key: it was changed, or belongs to another key, keyspace or keyring"
            ),
            Problem::NotAKek => write!(f, "Vault opened the wrap, but it holds no key of 32 bytes: check the address"),
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
