//! Failures of an HSM, each as one line that says what to do. The texts are ours. Only the function's name and its code
//! come from the HSM.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use cryptoki::context::Function;
use cryptoki::error::{Error as CryptokiError, RvError};
use rxseal::Error;

use crate::mechanism::Pkcs11Mechanism;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    // Waiting does not help
    NotLoaded,
    NotInitialized,
    Forked,
    TokenAmbiguous(usize),
    PinMissing,
    PinFileOpen,
    PinText,
    PinWrong,
    PinRefusedBefore,
    PinLocked,
    PinExpired,
    PinNotSet,
    OtherUser,
    KeyMissing,
    KeyAmbiguous(usize),
    KeyLength,
    KeyPublic,
    KeyExtractable,
    KeyForbids,
    NoMechanism,
    MechanismMissing(Pkcs11Mechanism),
    OddLength,
    NoNonce,
    Unsupported,
    NotHandedBack,
    NotVerified,
    NotAWrap,
    NotOpened,
    OtherContext,
    Refused,
    // What may succeed later
    TokenMissing,
    TokenGone,
    SessionLost,
    SessionsUsedUp,
    Device,
    Late(Duration),
    Hanging(usize),
    NoThread,
}

impl Problem {
    fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::TokenMissing
                | Self::TokenGone
                | Self::SessionLost
                | Self::SessionsUsedUp
                | Self::Device
                | Self::Late(_)
                | Self::Hanging(_)
                | Self::NoThread
        )
    }

    fn of_code(code: RvError) -> Self {
        match code {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => Self::PinWrong,
            RvError::PinLocked => Self::PinLocked,
            RvError::PinExpired => Self::PinExpired,
            RvError::UserPinNotInitialized => Self::PinNotSet,
            RvError::UserAnotherAlreadyLoggedIn | RvError::UserTooManyTypes | RvError::SessionReadWriteSoExists => {
                Self::OtherUser
            }
            RvError::DeviceRemoved
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::SlotIdInvalid => Self::TokenGone,
            RvError::SessionHandleInvalid
            | RvError::SessionClosed
            | RvError::UserNotLoggedIn
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::WrappingKeyHandleInvalid
            | RvError::UnwrappingKeyHandleInvalid
            | RvError::CryptokiNotInitialized => Self::SessionLost,
            RvError::SessionCount => Self::SessionsUsedUp,
            RvError::KeyFunctionNotPermitted
            | RvError::KeyTypeInconsistent
            | RvError::KeySizeRange
            | RvError::WrappingKeyTypeInconsistent
            | RvError::WrappingKeySizeRange
            | RvError::UnwrappingKeyTypeInconsistent
            | RvError::UnwrappingKeySizeRange => Self::KeyForbids,
            RvError::ArgumentsBad
            | RvError::AttributeReadOnly
            | RvError::AttributeTypeInvalid
            | RvError::AttributeValueInvalid
            | RvError::FunctionNotSupported
            | RvError::FunctionRejected
            | RvError::MechanismInvalid
            | RvError::MechanismParamInvalid
            | RvError::TemplateIncomplete
            | RvError::TemplateInconsistent => Self::Unsupported,
            RvError::DeviceError
            | RvError::DeviceMemory
            | RvError::HostMemory
            | RvError::FunctionFailed
            | RvError::GeneralError => Self::Device,
            _ => Self::Refused,
        }
    }
}

/// A call that did not succeed. Its text is one line.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Problem,
    /// The root key's name.
    key: Box<str>,
    /// The file, variable or library that it is about.
    about: Option<Box<str>>,
    code: Option<(RvError, Function)>,
    cause: Option<BoxError>,
}

impl Failure {
    pub(crate) fn of(problem: Problem, error: &CryptokiError) -> Self {
        let code = match error {
            CryptokiError::Pkcs11(code, function) => Some((*code, *function)),
            _ => None,
        };
        Self { code, ..Self::from(problem) }
    }

    pub(crate) fn about(problem: Problem, what: &impl fmt::Display) -> Self {
        Self { about: Some(what.to_string().into()), ..Self::from(problem) }
    }

    /// For the call that opens a wrap. Each HSM has other codes for a changed wrap, and SoftHSM has only its general
    /// one. So every code counts as a wrap that does not open, except codes that a wrap cannot cause.
    pub(crate) fn of_opening(error: CryptokiError) -> Self {
        let failure = Self::from(error);
        match (failure.problem, failure.code) {
            (Problem::Device, Some((RvError::GeneralError | RvError::FunctionFailed, _))) | (Problem::Refused, _) => {
                Self { problem: Problem::NotOpened, ..failure }
            }
            _ => failure,
        }
    }

    /// For opening what was wrapped a moment ago and nobody can have changed.
    pub(crate) fn of_checking(self) -> Self {
        match self.problem {
            Problem::NotOpened | Problem::OtherContext => Self { problem: Problem::NotVerified, ..self },
            _ => self,
        }
    }

    pub(crate) fn caused_by(self, cause: impl Into<BoxError>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    pub(crate) fn of_key(self, name: &str) -> Self {
        Self { key: name.into(), ..self }
    }

    #[cfg(test)]
    pub(crate) fn problem(&self) -> Problem {
        self.problem
    }

    /// Whether the token may want to draw the nonce of AES-GCM itself. HSMs have no code of their own for that.
    pub(crate) fn is_of_parameters(&self) -> bool {
        use RvError::{ArgumentsBad, DataInvalid, MechanismParamInvalid};
        self.code.is_some_and(|(code, _)| [ArgumentsBad, DataInvalid, MechanismParamInvalid].contains(&code))
    }

    /// Whether a session of another kind may be possible.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.problem, Problem::Refused | Problem::Unsupported)
    }

    /// Whether the call may succeed with another session.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.problem, Problem::SessionLost | Problem::TokenGone)
    }

    /// Whether the session is gone. Closing its number could close a newer session that has the same number.
    pub(crate) fn has_no_session(&self) -> bool {
        use RvError::{CryptokiNotInitialized, DeviceRemoved, SessionClosed, SessionHandleInvalid};
        let gone = [SessionHandleInvalid, SessionClosed, DeviceRemoved, CryptokiNotInitialized];
        self.code.is_some_and(|(code, _)| gone.contains(&code))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, key: Box::default(), about: None, code: None, cause: None }
    }
}

impl From<CryptokiError> for Failure {
    fn from(error: CryptokiError) -> Self {
        let problem = match &error {
            CryptokiError::Pkcs11(code, _) => Problem::of_code(*code),
            _ => Problem::Refused,
        };
        Self::of(problem, &error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.problem {
            Problem::PinFileOpen => Self::root_key_permissions(failure),
            problem => Self::from_provider(problem.is_retryable(), failure),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, key, about, code, cause: _ } = self;
        write!(f, "{problem} (")?;
        if let Some(about) = about {
            write!(f, "{about}, ")?;
        }
        f.write_str(key)?;
        if let Some((code, function)) = code {
            write!(f, ", C_{function:?}: {code:?}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenAmbiguous(count) => write!(f, "{count} tokens match: also name the token's serial number"),
            Self::KeyAmbiguous(count) => {
                write!(f, "{count} AES keys of the token match: also name the key's id, or give each key its own label")
            }
            Self::MechanismMissing(mechanism) => write!(
                f,
                "the token or the key does not support {mechanism}: check the token's list of mechanisms, and CKA_ENCRYPT, \
                 CKA_DECRYPT, CKA_WRAP and CKA_UNWRAP of the key"
            ),
            Self::Late(deadline) => write!(
                f,
                "the HSM did not answer within {} ms: check its connection and load, or allow more time (its `deadline`)",
                deadline.as_millis()
            ),
            Self::Hanging(calls) => write!(
                f,
                "{calls} calls hang in the HSM's library, and no more are started: check the HSM, and if they do not return \
                 when it is back, restart the program"
            ),
            other => f.write_str(other.text()),
        }
    }
}

impl Problem {
    fn text(self) -> &'static str {
        match self {
            Self::NotLoaded => "the PKCS#11 library cannot be loaded: check its path, and that it is for this machine",
            Self::NotInitialized => {
                "the PKCS#11 library does not start: check its configuration, and whether this process may read it"
            }
            Self::Forked => "the process was forked: make root keys of PKCS#11 in the child, after the fork",
            Self::PinMissing => "the PIN could not be read: check where it comes from",
            Self::PinFileOpen => {
                "somebody else can read or change the PIN file: give it to the user of this process, with mode 0600"
            }
            Self::PinText => "the PIN is not valid: it is empty, longer than 255 bytes, or contains control characters",
            Self::PinWrong => {
                "the token refuses the PIN: correct it before the next try, since a few wrong ones lock the token"
            }
            Self::PinRefusedBefore => {
                "a login with this PIN failed before, and it is not tried again, since that could lock the token: \
                 correct the PIN, or, if it was right, find out why the login failed and restart the program"
            }
            Self::PinLocked => {
                "the PIN is locked after too many wrong ones: the token's security officer has to set a new one"
            }
            Self::PinExpired => "the PIN has expired: set a new one with the tool of the HSM",
            Self::PinNotSet => "the token has no user PIN yet: its security officer has to set one (`--init-pin`)",
            Self::OtherUser => {
                "this process is logged in to the token as another user, such as the security officer: log that user out \
                 first"
            }
            Self::KeyMissing => {
                "the token has no AES key of this name: check its label and id, or make one (`pkcs11-tool --keygen \
                 --key-type AES:32 --private --sensitive`)"
            }
            Self::KeyLength => "the key does not have 256 bits: make an AES-256 key",
            Self::KeyPublic => {
                "any process can use or replace this key without the PIN (CKA_PRIVATE must be \
                 true): make one with --private"
            }
            Self::KeyExtractable => {
                "the token would hand this key out (CKA_SENSITIVE must be true and CKA_EXTRACTABLE false): make one that \
                 it keeps, or say `allow_extractable()`"
            }
            Self::KeyForbids => {
                "the key may not be used for this: it needs CKA_ENCRYPT and CKA_DECRYPT, or CKA_WRAP and CKA_UNWRAP \
                 for key wrapping"
            }
            Self::NoMechanism => {
                "the token and the key share none of the mechanisms CKM_AES_GCM, CKM_AES_KEY_WRAP and CKM_AES_KEY_WRAP_PAD: \
                 check CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP and CKA_UNWRAP of the key"
            }
            Self::OddLength => "the token made a wrap of the wrong length: try another mechanism with `mechanism`",
            Self::NoNonce => {
                "the token does not accept our nonce for CKM_AES_GCM and does not make one itself: try another mechanism \
                 with `mechanism`"
            }
            Self::Unsupported => {
                "the token does not support this call, or not with this mechanism, these parameters or these \
                 attributes: try another mechanism with `mechanism`, and look at the log of the HSM"
            }
            Self::NotHandedBack => {
                "the HSM does not hand the KEK back after key wrapping: use AES-GCM, and give the key CKA_ENCRYPT and \
                 CKA_DECRYPT"
            }
            Self::NotVerified => {
                "the token does not open its own wrap again, so nothing was stored: look at the log of the HSM, and try \
                 another mechanism with `mechanism`"
            }
            Self::NotAWrap => "the wrapped key is not one of PKCS#11: it was changed or cut off",
            Self::NotOpened => {
                "the token does not open the wrapped key: it was changed, or belongs to another key, keyspace or keyring, or \
                 the HSM failed. Look at its log too"
            }
            Self::OtherContext => "the wrapped key belongs to another keyspace or keyring, or it was changed",
            Self::Refused => "the token refused the call: look at the log of the HSM",
            Self::TokenMissing => {
                "there is no token of this name: check the name, and that the HSM is connected and its service runs \
                 (`pkcs11-tool --list-slots`)"
            }
            Self::TokenGone => "the token was removed, or the HSM cannot be reached: check its connection",
            Self::SessionLost => "the HSM ended the session twice: try again later, or look at its log",
            Self::SessionsUsedUp => {
                "the token has no session left: allow more on the token, or use fewer with `sessions`"
            }
            Self::Device => "the HSM failed: try again later, and look at its log",
            Self::NoThread => "no thread could be started for the HSM, or it ended early: free memory or threads",
            // Said above, with their numbers.
            Self::TokenAmbiguous(_)
            | Self::KeyAmbiguous(_)
            | Self::MechanismMissing(_)
            | Self::Late(_)
            | Self::Hanging(_) => "",
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause: &(dyn StdError + 'static) = self.cause.as_deref()?;
        Some(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    const ALL: &[Problem] = &[
        Problem::NotLoaded,
        Problem::NotInitialized,
        Problem::Forked,
        Problem::TokenAmbiguous(2),
        Problem::PinMissing,
        Problem::PinFileOpen,
        Problem::PinText,
        Problem::PinWrong,
        Problem::PinRefusedBefore,
        Problem::PinLocked,
        Problem::PinExpired,
        Problem::PinNotSet,
        Problem::OtherUser,
        Problem::KeyMissing,
        Problem::KeyAmbiguous(2),
        Problem::KeyLength,
        Problem::KeyPublic,
        Problem::KeyExtractable,
        Problem::KeyForbids,
        Problem::NoMechanism,
        Problem::MechanismMissing(Pkcs11Mechanism::AesGcm),
        Problem::OddLength,
        Problem::NoNonce,
        Problem::Unsupported,
        Problem::NotHandedBack,
        Problem::NotVerified,
        Problem::NotAWrap,
        Problem::NotOpened,
        Problem::OtherContext,
        Problem::Refused,
        Problem::TokenMissing,
        Problem::TokenGone,
        Problem::SessionLost,
        Problem::SessionsUsedUp,
        Problem::Device,
        Problem::Late(LIMIT),
        Problem::Hanging(20),
        Problem::NoThread,
    ];

    #[test]
    fn each_text_is_one_line_of_its_own() {
        let mut texts = std::collections::BTreeSet::new();
        for problem in ALL {
            let text = Failure::from(*problem).of_key("token=phi;object=phi-root").to_string();
            assert!(text.len() > 40 && text.len() < 320 && !text.contains('\n') && !text.contains("  "), "{text}");
            assert!(text.ends_with("(token=phi;object=phi-root)"), "{text}");
            assert!(texts.insert(text));
        }
    }

    #[test]
    fn codes() {
        for (code, problem, retryable, lost, no_session) in [
            (RvError::PinIncorrect, Problem::PinWrong, false, false, false),
            (RvError::PinLocked, Problem::PinLocked, false, false, false),
            (RvError::UserNotLoggedIn, Problem::SessionLost, true, true, false),
            (RvError::SessionHandleInvalid, Problem::SessionLost, true, true, true),
            (RvError::DeviceRemoved, Problem::TokenGone, true, true, true),
            (RvError::SessionCount, Problem::SessionsUsedUp, true, false, false),
            (RvError::KeyFunctionNotPermitted, Problem::KeyForbids, false, false, false),
            (RvError::GeneralError, Problem::Device, true, false, false),
            (RvError::VendorDefined(0x8000_0001), Problem::Refused, false, false, false),
        ] {
            let failure = Failure::from(CryptokiError::Pkcs11(code, Function::Login));
            assert_eq!(failure.problem(), problem, "{code:?}");
            assert_eq!((failure.is_lost(), failure.has_no_session()), (lost, no_session), "{code:?}");
            assert!(failure.to_string().contains("C_Login: "), "{failure}");
            assert_eq!(Error::from(failure).is_retryable(), retryable, "{code:?}");
        }
    }

    #[test]
    fn a_code_that_says_nothing_means_nothing() {
        for (code, problem) in [
            (RvError::GeneralError, Problem::NotOpened),
            (RvError::FunctionFailed, Problem::NotOpened),
            (RvError::EncryptedDataInvalid, Problem::NotOpened),
            (RvError::WrappedKeyInvalid, Problem::NotOpened),
            (RvError::VendorDefined(1), Problem::NotOpened),
            (RvError::TemplateInconsistent, Problem::Unsupported),
            (RvError::AttributeValueInvalid, Problem::Unsupported),
            (RvError::MechanismInvalid, Problem::Unsupported),
            (RvError::MechanismParamInvalid, Problem::Unsupported),
            (RvError::ArgumentsBad, Problem::Unsupported),
            (RvError::FunctionNotSupported, Problem::Unsupported),
            (RvError::DeviceError, Problem::Device),
            (RvError::SessionHandleInvalid, Problem::SessionLost),
            (RvError::KeyFunctionNotPermitted, Problem::KeyForbids),
        ] {
            assert_eq!(Failure::of_opening(CryptokiError::Pkcs11(code, Function::Decrypt)).problem(), problem);
        }
    }
}
