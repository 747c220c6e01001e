//! Why the command failed, in one line, with its code and its exit status.

use std::fmt;
use std::io;

use rxseal_map::__private::said;
use rxseal_roots::SpecError;

use crate::exit;

pub enum Failure {
    /// An option, a variable or the configuration file is wrong.
    Usage(String),
    Rxseal(rxseal::Error),
    /// A fault that the command found itself, with the code that the library has for it.
    Coded(&'static str, String),
    /// One of the root keys, as the operator wrote it, and what is wrong with it.
    Root(SpecError),
    /// `key-in-use`, and what is under the key: tokens, subject keys.
    InUse(rxseal::Error, u64, u64),
    /// A result was printed, and it shows a fault.
    Checked(String),
    /// A change was stored, but its answer (the text) could not be written.
    Unreported(io::Error, String),
    /// A patient's key was destroyed, but something failed before there was a receipt.
    Unreceipted(rxseal::Error),
    /// A change was stored, but the audit log did not take its end.
    Unlogged(String),
    Io(io::Error),
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        if self.is_broken_pipe() { exit::BROKEN_PIPE } else { exit::status(self.code()) }
    }

    /// Whether the reader of the output went away, so that nobody needs a message.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The text of an error that is part of an answer.
    pub fn from_reference(error: &rxseal::Error) -> String {
        said(error)
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Rxseal(error) | Self::InUse(error, ..) => error.code().as_str(),
            Self::Coded(code, _) => code,
            Self::Root(error) => error.code(),
            Self::Checked(_) => "check-failed",
            Self::Unreported(..) | Self::Unreceipted(_) | Self::Unlogged(_) => "unreported",
            Self::Io(_) => "io",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Checked(text) | Self::Coded(_, text) => f.write_str(text),
            Self::Io(error) => write!(f, "{error}"),
            Self::Rxseal(error) => f.write_str(&said(error)),
            Self::Unreceipted(error) => {
                f.write_str(&said(error))?;
                write!(
                    f,
                    ". The patient's key WAS destroyed, but may be missing from the log: repeat the command until it prints the receipt"
                )
            }
            Self::Root(error) => {
                write!(f, "{error}")?;
                let Some(feature) = error.feature() else { return Ok(()) };
                write!(f, ": install it with `cargo install rxseal-cli --features {feature}`")
            }
            Self::InUse(error, tokens, subject_keys) => {
                write!(f, "{tokens} tokens and {subject_keys} subject keys: {error}")
            }
            Self::Unlogged(reason) => {
                write!(f, "the change WAS made, and the audit log says that it began, but not how it ended: {reason}")
            }
            Self::Unreported(error, answer) => {
                write!(f, "the change WAS stored, but its answer could not be written ({error}). It was: {answer}")
            }
        }
    }
}

pub fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
}

impl From<rxseal::Error> for Failure {
    fn from(error: rxseal::Error) -> Self {
        Self::Rxseal(error)
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self::Root(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
