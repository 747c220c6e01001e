//! What a suite found.

use std::error::Error as _;
use std::fmt;

use rxseal::Error;

/// A rule that was broken. `unwrap` in a test shows the rule and what happened instead.
pub struct Broken {
    rule: &'static str,
    found: String,
}

impl Broken {
    /// The rule as a sentence.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    pub(crate) fn new(rule: &'static str, found: impl Into<String>) -> Self {
        Self { rule, found: found.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; found: {}", self.rule, self.found)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Broken {}

pub(crate) type Check = Result<(), Broken>;

/// One rule, and how it is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Rule(pub(crate) &'static str);

impl Rule {
    pub(crate) fn is(self, holds: bool, found: impl FnOnce() -> String) -> Check {
        if holds { Ok(()) } else { Err(Broken::new(self.0, found())) }
    }

    pub(crate) fn equal<T: PartialEq + fmt::Debug>(self, found: &T, wanted: &T) -> Check {
        self.is(found == wanted, || format!("{found:?} where {wanted:?} belongs"))
    }

    /// What a call gave that has to succeed.
    pub(crate) fn ok<T>(self, ended: Result<T, Error>) -> Result<T, Broken> {
        ended.map_err(|error| Broken::new(self.0, told(&error)))
    }

    /// A call that has to fail with one of these codes.
    pub(crate) fn fails<T>(self, ended: Result<T, Error>, codes: &[&str]) -> Check {
        match ended {
            Ok(_) => Err(Broken::new(self.0, format!("success where {codes:?} belongs"))),
            Err(error) => {
                self.is(codes.contains(&code(&error)), || format!("{} where {codes:?} belongs", told(&error)))
            }
        }
    }
}

fn code(error: &Error) -> &'static str {
    error.code().as_str()
}

/// An error with its cause, which says what an operator has to know.
fn told(error: &Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error:?}{cause}")
}
