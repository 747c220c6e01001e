//! Why the command failed, in one line, and its exit code.

use std::error::Error as _;
use std::fmt;
use std::io;

pub const USAGE: u8 = 2;
const FAILED: u8 = 1;
const CONFLICT: u8 = 3;
const UNAVAILABLE: u8 = 4;
const REFUSED: u8 = 5;

pub enum Failure {
    /// What the operator said cannot be done as it is.
    Usage(String),
    Rxseal(rxseal::Error),
    /// What the command itself found, under the code that the library has for it.
    Coded(&'static str, String),
    /// `key-in-use`, and what is under the key: tokens, subject keys.
    InUse(rxseal::Error, u64, u64),
    /// A result was printed, and it is not good.
    Checked(String),
    Io(io::Error),
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Rxseal(error) if error.is_conflict() => CONFLICT,
            Self::Rxseal(error) if error.is_retryable() => UNAVAILABLE,
            Self::Rxseal(error) => match error.code() {
                "state-refused" | "subject-retained" | "provider-refused" | "store-refused" | "unlock-failed" => {
                    REFUSED
                }
                _ => FAILED,
            },
            Self::InUse(..) | Self::Coded(..) => REFUSED,
            Self::Checked(_) | Self::Io(_) => FAILED,
        }
    }

    /// The text of an error that is part of an answer.
    pub fn from_reference(error: &rxseal::Error) -> String {
        struct Chain<'a>(&'a rxseal::Error);
        impl fmt::Display for Chain<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_error(f, self.0)
            }
        }
        Chain(error).to_string()
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Rxseal(error) | Self::InUse(error, ..) => error.code(),
            Self::Coded(code, _) => code,
            Self::Checked(_) => "check-failed",
            Self::Io(_) => "io",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Checked(text) | Self::Coded(_, text) => f.write_str(text),
            Self::Io(error) => write!(f, "{error}"),
            Self::Rxseal(error) => write_error(f, error),
            Self::InUse(error, tokens, subject_keys) => {
                write!(f, "{tokens} tokens and {subject_keys} subject keys: {error}")
            }
        }
    }
}

/// With its causes: what a provider says is what its operator has to know.
fn write_error(f: &mut fmt::Formatter<'_>, error: &rxseal::Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}

impl From<rxseal::Error> for Failure {
    fn from(error: rxseal::Error) -> Self {
        Self::Rxseal(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
