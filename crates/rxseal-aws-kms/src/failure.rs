//! Failures of AWS KMS, each as one line that says what to do.
//!
//! An error quotes nothing of a request or an answer except AWS's error code and request id, each only in its expected
//! form.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;
use rxseal::Error;

use crate::endpoint::ClearText;

/// A right of IAM. The call has the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Encrypt,
    Decrypt,
    DescribeKey,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encrypt => "kms:Encrypt",
            Self::Decrypt => "kms:Decrypt",
            Self::DescribeKey => "kms:DescribeKey",
        })
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    // Waiting does not help
    Denied,
    CredentialsExpired,
    CredentialsNotAccepted,
    CredentialsMissing,
    CredentialsMisconfigured,
    KeyNotFound,
    KeyDisabled,
    KeyPendingDeletion,
    KeyPendingImport,
    KeyState,
    KeyUsage,
    WrapRefused,
    OtherKeyAnswered,
    WrongLength,
    Rejected,
    ClearText,
    // What may succeed later
    CredentialsUnavailable,
    KeyUnavailable,
    Throttled,
    Unavailable,
    Unreachable,
    Late(Duration),
    Garbled,
}

impl Problem {
    fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::CredentialsUnavailable
                | Self::KeyUnavailable
                | Self::Throttled
                | Self::Unavailable
                | Self::Unreachable
                | Self::Late(_)
                | Self::Garbled
        )
    }

    /// From an error that KMS names.
    fn of_answer(status: u16, code: Option<&str>, message: &str) -> Self {
        match code.unwrap_or_default() {
            "AccessDeniedException" | "AccessDenied" | "NotAuthorized" | "OptInRequired" => Self::Denied,
            "ExpiredTokenException" | "ExpiredToken" => Self::CredentialsExpired,
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "RequestExpired" => Self::CredentialsNotAccepted,
            "NotFoundException" => Self::KeyNotFound,
            "DisabledException" => Self::KeyDisabled,
            "KMSInvalidStateException" | "KmsInvalidStateException" => Self::of_state(message),
            "InvalidKeyUsageException" | "UnsupportedOperationException" => Self::KeyUsage,
            "InvalidCiphertextException" | "IncorrectKeyException" => Self::WrapRefused,
            "KeyUnavailableException" => Self::KeyUnavailable,
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "LimitExceededException"
            | "SlowDown" => Self::Throttled,
            "KMSInternalException"
            | "DependencyTimeoutException"
            | "InternalFailure"
            | "InternalServerError"
            | "InternalError"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException" => Self::Unavailable,
            _ => Self::of_status(status),
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Denied,
            429 => Self::Throttled,
            400..500 => Self::Rejected,
            500.. => Self::Unavailable,
            // Success, but not in an answer of KMS.
            _ => Self::Garbled,
        }
    }

    /// KMS tells the states apart in its message only.
    fn of_state(message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        if message.contains("pending deletion") || message.contains("pendingdeletion") {
            Self::KeyPendingDeletion
        } else if message.contains("pending import") || message.contains("pendingimport") {
            Self::KeyPendingImport
        } else {
            Self::KeyState
        }
    }

    pub(crate) fn of_credentials(error: &CredentialsError) -> Self {
        match error {
            CredentialsError::CredentialsNotLoaded(_) => Self::CredentialsMissing,
            CredentialsError::InvalidConfiguration(_) => Self::CredentialsMisconfigured,
            // A login that has ended and a service that does not answer look the same here.
            _ => Self::CredentialsUnavailable,
        }
    }
}

/// A call that did not succeed. Its text is one line.
#[derive(Debug)]
pub(crate) struct Failure {
    operation: Operation,
    key: Box<str>,
    problem: Problem,
    /// The error code and request id, for AWS support, or the kind of network error.
    detail: Option<Box<str>>,
}

impl Failure {
    pub(crate) fn new(operation: Operation, key: &str, problem: Problem) -> Self {
        Self { operation, key: key.into(), problem, detail: None }
    }

    pub(crate) fn of_call<E>(operation: Operation, key: &str, deadline: Duration, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let (problem, detail) = match error {
            SdkError::TimeoutError(_) => (Problem::Late(deadline), None),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => (Problem::Late(deadline), None),
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => not_sent(error),
            SdkError::ResponseError(_) => (Problem::Garbled, None),
            error => {
                let status = error.raw_response().map_or(0, |response| response.status().as_u16());
                let problem = Problem::of_answer(status, error.code(), error.message().unwrap_or_default());
                (problem, Some(describe(status, error.code(), error.meta().request_id())))
            }
        };
        Self { operation, key: key.into(), problem, detail: detail.map(Into::into) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::from_provider(failure.problem.is_retryable(), failure)
    }
}

/// Fails before there was an answer.
fn not_sent<E: StdError + 'static>(error: &SdkError<E>) -> (Problem, Option<String>) {
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.is::<ClearText>() {
            return (Problem::ClearText, None);
        }
        if let Some(credentials) = cause.downcast_ref::<CredentialsError>() {
            return (Problem::of_credentials(credentials), None);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            // The kind alone is a constant text.
            return (Problem::Unreachable, Some(io.kind().to_string()));
        }
        next = cause.source();
    }
    match error {
        SdkError::ConstructionFailure(_) => (Problem::Rejected, None),
        _ => (Problem::Unreachable, None),
    }
}

/// The code and the request's id as AWS writes them. Anything else is left out.
fn describe(status: u16, code: Option<&str>, request_id: Option<&str>) -> String {
    let is_code = |code: &&str| (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_id = |id: &&str| id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let what = code.filter(is_code).map_or_else(|| format!("HTTP status {status}"), str::to_owned);
    match request_id.filter(is_id) {
        Some(id) => format!("{what}, request {id}"),
        None => what,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, key, problem, detail } = self;
        match problem {
            Problem::Denied => {
                write!(f, "AWS KMS denied {operation} on {key}: grant it to this identity (key policy or IAM)")
            }
            Problem::ClearText => write!(
                f,
                "the endpoint of AWS is `http://` to another machine, and nothing was sent: the KEK would travel in clear. Use \
                 `https://` in AWS_ENDPOINT_URL and the profile's `endpoint_url`"
            ),
            Problem::CredentialsExpired => write!(f, "the AWS credentials have expired: renew them"),
            Problem::CredentialsNotAccepted => {
                write!(f, "AWS does not accept the credentials: check them, and the clock of this machine")
            }
            Problem::CredentialsMissing => write!(
                f,
                "no AWS credentials were found: give this machine a role, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY"
            ),
            Problem::CredentialsMisconfigured => write!(
                f,
                "the AWS credentials are not configured properly: check ~/.aws/config and the variables AWS_* of the \
                 environment"
            ),
            Problem::CredentialsUnavailable => write!(
                f,
                "the AWS credentials could not be loaded: set AWS_PROFILE, renew the login (`aws sso login`), or see why \
                 their source (instance role, STS, credential process) does not answer"
            ),
            Problem::KeyNotFound => {
                write!(f, "AWS KMS has no key {key}: check its name, its account and its region")
            }
            Problem::KeyDisabled => {
                write!(f, "the key {key} is disabled: enable it with kms:EnableKey, or use another root key")
            }
            Problem::KeyPendingDeletion => write!(
                f,
                "the key {key} is scheduled for deletion: cancel that with kms:CancelKeyDeletion and enable it with \
                 kms:EnableKey, or use another root key"
            ),
            Problem::KeyPendingImport => {
                write!(f, "the key {key} has no key material: import it with kms:ImportKeyMaterial")
            }
            Problem::KeyState => {
                write!(f, "the state of the key {key} forbids its use: look at it with kms:DescribeKey")
            }
            Problem::KeyUsage => write!(
                f,
                "the key {key} is not for symmetric encryption: use one with usage ENCRYPT_DECRYPT and spec \
                 SYMMETRIC_DEFAULT"
            ),
            Problem::WrapRefused => write!(
                f,
                "AWS KMS refused the wrapped key: it was changed, or it belongs to another keyring, keyspace or root key than \
                 {key}"
            ),
            Problem::OtherKeyAnswered => {
                write!(f, "the answer to {operation} is from another key than {key}: check the endpoint")
            }
            Problem::WrongLength => {
                write!(f, "{operation} on {key} gave a key of the wrong length: check the endpoint")
            }
            Problem::Rejected => {
                write!(f, "AWS KMS rejected {operation} on {key} as invalid: check the key's name and the endpoint")
            }
            Problem::KeyUnavailable => {
                write!(f, "AWS KMS cannot reach the key {key} now: try again later, or look at its key store")
            }
            Problem::Throttled => {
                write!(f, "AWS KMS throttles {operation} on {key}: try again later, or have its quota raised")
            }
            Problem::Unavailable => write!(f, "AWS KMS failed at {operation} on {key}: try again later"),
            Problem::Unreachable => write!(
                f,
                "AWS KMS cannot be reached for {operation} on {key}: check the network, the region and the endpoint"
            ),
            Problem::Late(deadline) => write!(
                f,
                "AWS KMS did not answer {operation} on {key} within {} ms: check the network, or allow more time",
                deadline.as_millis()
            ),
            Problem::Garbled => write!(
                f,
                "the answer to {operation} on {key} is not from AWS KMS: check the endpoint, and any proxy before \
                 it"
            ),
        }?;
        match detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl StdError for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    const ALL: &[Problem] = &[
        Problem::Denied,
        Problem::CredentialsExpired,
        Problem::CredentialsNotAccepted,
        Problem::CredentialsMissing,
        Problem::CredentialsMisconfigured,
        Problem::KeyNotFound,
        Problem::KeyDisabled,
        Problem::KeyPendingDeletion,
        Problem::KeyPendingImport,
        Problem::KeyState,
        Problem::KeyUsage,
        Problem::WrapRefused,
        Problem::OtherKeyAnswered,
        Problem::WrongLength,
        Problem::Rejected,
        Problem::CredentialsUnavailable,
        Problem::KeyUnavailable,
        Problem::Throttled,
        Problem::Unavailable,
        Problem::Unreachable,
        Problem::Late(Duration::from_secs(5)),
        Problem::Garbled,
    ];

    #[test]
    fn each_text_is_one_line_of_its_own() {
        let mut texts = std::collections::BTreeSet::new();
        for problem in ALL {
            let text = Failure::new(Operation::Decrypt, KEY, *problem).to_string();
            assert!(text.len() > 40 && text.len() < 300 && !text.contains('\n') && !text.contains("  "), "{text}");
            assert!(texts.insert(text));
        }
        let denied = Failure::new(Operation::Decrypt, KEY, Problem::Denied).to_string();
        assert!(denied.contains("kms:Decrypt") && denied.contains(KEY), "{denied}");
    }

    #[test]
    fn what_may_succeed_later() {
        for (status, code, message, problem, retryable) in [
            (400, "AccessDeniedException", "", Problem::Denied, false),
            (400, "ExpiredTokenException", "", Problem::CredentialsExpired, false),
            (400, "UnrecognizedClientException", "", Problem::CredentialsNotAccepted, false),
            (400, "InvalidSignatureException", "", Problem::CredentialsNotAccepted, false),
            (400, "NotFoundException", "", Problem::KeyNotFound, false),
            (400, "DisabledException", "", Problem::KeyDisabled, false),
            (400, "KMSInvalidStateException", "arn:x is pending deletion.", Problem::KeyPendingDeletion, false),
            (400, "KMSInvalidStateException", "arn:x is pending import.", Problem::KeyPendingImport, false),
            (400, "KMSInvalidStateException", "", Problem::KeyState, false),
            (400, "InvalidCiphertextException", "", Problem::WrapRefused, false),
            (400, "IncorrectKeyException", "", Problem::WrapRefused, false),
            (400, "InvalidKeyUsageException", "", Problem::KeyUsage, false),
            (400, "ValidationException", "", Problem::Rejected, false),
            (403, "", "", Problem::Denied, false),
            (404, "", "", Problem::Rejected, false),
            (400, "ThrottlingException", "", Problem::Throttled, true),
            (429, "", "", Problem::Throttled, true),
            (500, "KMSInternalException", "", Problem::Unavailable, true),
            (503, "DependencyTimeoutException", "", Problem::Unavailable, true),
            (500, "KeyUnavailableException", "", Problem::KeyUnavailable, true),
            (502, "Surprise", "", Problem::Unavailable, true),
            (200, "", "", Problem::Garbled, true),
        ] {
            let found = Problem::of_answer(status, Some(code).filter(|code| !code.is_empty()), message);
            assert_eq!((found, found.is_retryable()), (problem, retryable), "{status} {code} {message}");
            let error = Error::from(Failure::new(Operation::Decrypt, KEY, found));
            assert_eq!(error.is_retryable(), retryable);
        }
    }

    #[test]
    fn only_what_aws_writes_is_quoted() {
        let id = "0123abcd-0123-0123-0123-0123456789ab";
        assert_eq!(describe(400, Some("DisabledException"), Some(id)), format!("DisabledException, request {id}"));
        for code in [None, Some(""), Some("two words"), Some("bGVhaw=="), Some(&*"a".repeat(65))] {
            assert_eq!(describe(400, code, Some("no id")), "HTTP status 400");
        }
    }

    #[test]
    fn credentials() {
        let missing = CredentialsError::not_loaded("x");
        let (wrong, late) = (CredentialsError::invalid_configuration("x"), CredentialsError::provider_error("x"));
        for (error, problem) in [
            (missing, Problem::CredentialsMissing),
            (wrong, Problem::CredentialsMisconfigured),
            (late, Problem::CredentialsUnavailable),
        ] {
            assert_eq!(Problem::of_credentials(&error), problem);
        }
    }
}
