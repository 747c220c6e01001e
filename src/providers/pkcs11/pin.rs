//! Where the PIN comes from, each time it is needed, and that it is tried no second time.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::failure::{BoxError, Failure, Problem};

/// PINs have 4 to 255 bytes at the tokens that say so.
const MAX_LEN: usize = 255;

pub(super) enum PinSource {
    Callback(Box<dyn Fn() -> Result<Zeroizing<String>, BoxError> + Send + Sync>),
    Environment(String),
    File(PathBuf),
}

impl PinSource {
    fn read(&self) -> Result<AuthPin, Failure> {
        let pin = match self {
            Self::Callback(callback) => {
                callback().map_err(|cause| Failure::from(Problem::PinMissing).caused_by(cause))?
            }
            Self::Environment(variable) => {
                let value = std::env::var(variable).map_err(|_| Failure::about(Problem::PinMissing, self))?;
                Zeroizing::new(value)
            }
            Self::File(path) => {
                let line = File::open(path).and_then(|file| first_line(&file));
                line.map_err(|cause| Failure::about(Problem::PinMissing, self).caused_by(cause))?
            }
        };
        if !(1..=MAX_LEN).contains(&pin.len()) {
            return Err(Failure::about(Problem::PinText, self));
        }
        // Of its exact size, so that no copy is left where a buffer was made smaller.
        Ok(AuthPin::new(Box::from(pin.as_str())))
    }
}

impl fmt::Display for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Callback(_) => f.write_str("the program's callback"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// In a buffer that does not grow, since it would leave what it held.
fn first_line(file: &File) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(1024).read_to_end(&mut bytes)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Logs sessions in, one at a time: of many callers with a wrong PIN each would use up an attempt, and lock it.
pub(super) struct Login {
    source: PinSource,
    refused: Mutex<bool>,
}

impl Login {
    pub(super) fn new(source: PinSource) -> Self {
        Self { source, refused: Mutex::new(false) }
    }

    /// A login is of the whole process: where another session is logged in, so is this one, and no PIN is asked for.
    pub(super) fn ensure(&self, session: &Session) -> Result<(), Failure> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let state = session.get_session_info()?.session_state();
        if matches!(state, SessionState::RoUser | SessionState::RwUser) {
            return Ok(());
        }
        if *refused {
            return Err(Problem::PinRefusedBefore.into());
        }
        let pin = self.source.read()?;
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) => {
                let failure = Failure::from(error);
                *refused = failure.problem() == Problem::PinWrong;
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_pin_is_a_line_of_a_file() {
        let path = std::env::temp_dir().join(format!("rxseal-pin-{}", std::process::id()));
        for (content, pin) in [("1234", "1234"), ("1234\n", "1234"), ("12 34\r\n", "12 34"), ("1234\n\n", "1234\n")] {
            fs::write(&path, content).unwrap();
            assert_eq!(*first_line(&File::open(&path).unwrap()).unwrap(), pin);
        }
        let source = PinSource::File(path.clone());
        for (content, problem) in
            [(&b""[..], Problem::PinText), (&[b'1'; 256], Problem::PinText), (b"\xFF", Problem::PinMissing)]
        {
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
    }
}
