//! Reads the PIN each time it is needed, and never tries again a PIN that the token refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;
use rxseal::provider::{SecretFile, SecretFileError, fill_random};
use zeroize::Zeroizing;

use crate::digest::sha256;
use crate::failure::{BoxError, Failure, Problem};
use crate::library;

/// Tokens that document it allow PINs of 4 to 255 bytes.
const MAX_LEN: usize = 255;

pub(crate) enum PinSource {
    Callback(Box<dyn Fn() -> Result<Zeroizing<String>, BoxError> + Send + Sync>),
    Environment(String),
    File(SecretFile),
}

impl PinSource {
    fn read(&self) -> Result<Zeroizing<String>, Failure> {
        let pin = match self {
            Self::Callback(callback) => {
                // A panic in the program's callback is its answer, and no reason to try again.
                let answer = catch_unwind(AssertUnwindSafe(callback)).unwrap_or_else(|_| Err("it panicked".into()));
                answer.map_err(|cause| Failure::about(Problem::PinMissing, self).caused_by(cause))?
            }
            Self::Environment(variable) => {
                let value = std::env::var(variable).map_err(|_| Failure::about(Problem::PinMissing, self))?;
                Zeroizing::new(value)
            }
            Self::File(file) => {
                let unfit = |unfit: SecretFileError| {
                    let problem = if unfit.is_permissions() { Problem::PinFileOpen } else { Problem::PinMissing };
                    Failure::about(problem, self).caused_by(unfit.to_string())
                };
                first_line(&file.read().map_err(unfit)?).ok_or_else(|| Failure::about(Problem::PinText, self))?
            }
        };
        if !(1..=MAX_LEN).contains(&pin.len()) || pin.chars().any(char::is_control) {
            return Err(Failure::about(Problem::PinText, self));
        }
        Ok(pin)
    }
}

impl fmt::Display for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Callback(_) => f.write_str("the program's callback"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File(file) => write!(f, "file {}", file.path().display()),
        }
    }
}

/// Copied into a buffer of the right size, because one that grows leaves its old content behind.
fn first_line(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    std::str::from_utf8(line).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// The digests of PINs that a token refused. They belong to the process and not to a root key: a program that makes its
/// root key again after each failure would otherwise try a wrong PIN until the token locks. A corrected PIN has another
/// digest, and is tried.
pub(crate) struct Attempts(Refused);

type Refused = Arc<Mutex<BTreeSet<[u8; 32]>>>;

/// By library and the token's serial number: a token with a new label is still the same.
static ATTEMPTS: Mutex<BTreeMap<(PathBuf, String), Refused>> = Mutex::new(BTreeMap::new());

impl Attempts {
    pub(crate) fn at(library: &Path, token: &TokenInfo) -> Self {
        let token = (library::real_path(library), token.serial_number().to_owned());
        let mut attempts = ATTEMPTS.lock().unwrap_or_else(PoisonError::into_inner);
        Self(Arc::clone(attempts.entry(token).or_default()))
    }

    /// One at a time: otherwise each of many callers with a wrong PIN would use up an attempt.
    fn log_in(&self, session: &Session, pin: &Zeroizing<String>) -> Result<(), Failure> {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_logged_in(session)? {
            return Ok(());
        }
        let digest = digest(pin)?;
        if refused.contains(&digest) {
            return Err(Problem::PinRefusedBefore.into());
        }
        // Of its exact size, so that shrinking a buffer leaves no copy.
        match session.login(UserType::User, Some(&AuthPin::new(Box::from(pin.as_str())))) {
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) => {
                if may_have_cost_an_attempt(&error) {
                    refused.insert(digest);
                }
                Err(error.into())
            }
        }
    }
}

fn is_logged_in(session: &Session) -> Result<bool, Failure> {
    let state = session.get_session_info()?.session_state();
    Ok(matches!(state, SessionState::RoUser | SessionState::RwUser))
}

/// Every code except those that can only come before a token has looked at the PIN. Some HSMs have their own code for a
/// wrong PIN, others only say that something failed.
fn may_have_cost_an_attempt(error: &CryptokiError) -> bool {
    let CryptokiError::Pkcs11(code, _) = error else { return true };
    !matches!(
        code,
        RvError::CryptokiNotInitialized
            | RvError::DeviceRemoved
            | RvError::HostMemory
            | RvError::SessionClosed
            | RvError::SessionCount
            | RvError::SessionHandleInvalid
            | RvError::SlotIdInvalid
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            // Codes about the state of the login, and about a token without a PIN.
            | RvError::UserAnotherAlreadyLoggedIn
            | RvError::UserPinNotInitialized
            | RvError::UserTooManyTypes
    )
}

/// Salted for this process, so that the digest is in no prepared list. Whoever reads this memory can still guess PINs.
fn digest(pin: &str) -> Result<[u8; 32], Failure> {
    static SALT: Mutex<Option<[u8; 32]>> = Mutex::new(None);
    let mut salt = SALT.lock().unwrap_or_else(PoisonError::into_inner);
    let salt = match *salt {
        Some(salt) => salt,
        None => {
            let mut bytes = [0; 32];
            fill_random(&mut bytes).map_err(|error| Failure::from(Problem::Device).caused_by(error))?;
            *salt.insert(bytes)
        }
    };
    let mut salted = Zeroizing::new(Vec::with_capacity(salt.len().saturating_add(MAX_LEN)));
    salted.extend_from_slice(&salt);
    salted.extend_from_slice(pin.as_bytes());
    Ok(sha256(&salted))
}

/// Logs sessions in, and asks for the PIN once at a time.
pub(crate) struct Login {
    source: PinSource,
    asking: Mutex<()>,
}

impl Login {
    pub(crate) fn new(source: PinSource) -> Self {
        Self { source, asking: Mutex::new(()) }
    }

    /// A login counts for the whole process: if another session is logged in, so is this one, and no PIN is needed.
    pub(crate) fn ensure(&self, session: &Session, attempts: &Attempts, ends: Option<Instant>) -> Result<(), Failure> {
        let _one_at_a_time = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if is_logged_in(session)? {
            return Ok(());
        }
        if ends.is_some_and(|ends| Instant::now() >= ends) {
            // The caller has left: do not ask for a PIN, since nobody reads the result.
            return Err(Problem::Late(Duration::ZERO).into());
        }
        attempts.log_in(session, &self.source.read()?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn a_pin_is_a_line_of_a_file() {
        let path = std::env::temp_dir().join(format!("rxseal-pin-{}", std::process::id()));
        for (content, pin) in [
            ("1234", "1234"),
            ("1234\n", "1234"),
            ("12 34\r\n", "12 34"),
            ("1234\n\n", "1234"),
            ("1234\r\n# of the test token\n", "1234"),
        ] {
            assert_eq!(*first_line(content.as_bytes()).unwrap(), pin);
        }
        fs::write(&path, "1234").unwrap();
        let source = PinSource::File(SecretFile::new(&path).allow_group_read());
        for (mode, open) in [(0o644, true), (0o604, true), (0o660, true), (0o640, false), (0o600, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = source.read().err().map(|failure| failure.problem());
            assert_eq!(refused, open.then_some(Problem::PinFileOpen), "{mode:o}");
        }
        for (content, problem) in [
            (&b""[..], Problem::PinText),
            (b"\n1234", Problem::PinText),
            (b"12\t34", Problem::PinText),
            (b"1234\0\n", Problem::PinText),
            (&[b'1'; 256], Problem::PinText),
            (b"\xFF", Problem::PinText),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(source.read().unwrap_err().problem(), problem);
        }
        fs::remove_file(&path).unwrap();
        let failure = source.read().unwrap_err();
        assert_eq!(failure.problem(), Problem::PinMissing);
        assert!(failure.to_string().contains("rxseal-pin-"), "{failure}");
    }

    #[test]
    fn what_says_no_pin_says_so() {
        let failure = PinSource::Environment("RXSEAL_NO_SUCH_VARIABLE".to_owned()).read().unwrap_err();
        assert!(failure.to_string().contains("RXSEAL_NO_SUCH_VARIABLE"), "{failure}");
        let callback = PinSource::Callback(Box::new(|| Err("the safe is closed".into())));
        let failure = callback.read().unwrap_err();
        assert_eq!(failure.problem(), Problem::PinMissing);
        assert_eq!(std::error::Error::source(&failure).unwrap().to_string(), "the safe is closed");
        let callback = PinSource::Callback(Box::new(|| panic!("a bug")));
        assert_eq!(callback.read().unwrap_err().problem(), Problem::PinMissing);
    }

    #[test]
    fn what_tells_nothing_of_the_pin() {
        use RvError::{
            ArgumentsBad, DeviceError, DeviceRemoved, FunctionFailed, GeneralError, HostMemory, PinExpired,
            PinIncorrect, PinLocked, SessionClosed, SessionCount, SessionHandleInvalid, VendorDefined,
        };
        let costs = |code| may_have_cost_an_attempt(&CryptokiError::Pkcs11(code, Function::Login));
        for code in [PinIncorrect, PinLocked, PinExpired, GeneralError, FunctionFailed, DeviceError, ArgumentsBad] {
            assert!(costs(code), "{code:?}");
        }
        assert!(costs(VendorDefined(0x8000_0001)));
        for code in [SessionHandleInvalid, SessionClosed, DeviceRemoved, SessionCount, HostMemory] {
            assert!(!costs(code), "{code:?}");
        }
    }
}
