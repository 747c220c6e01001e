//! What the evidence does not show: red lines, and open questions.

use std::fmt;

use serde::Serialize;

/// What evidence comes to, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is red, and everything that is asked is known or stated by somebody.
    Complete,
    /// Nothing is red, and something is not known.
    Open,
    /// Something is wrong.
    Red,
}

impl Verdict {
    /// As a program reads it: `complete`, `open` or `red`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Open => "open",
            Self::Red => "red",
        }
    }
}

/// A red line, or an open question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    #[serde(rename = "red")]
    is_red: bool,
    code: &'static str,
    text: String,
}

impl Remark {
    pub(crate) fn red(code: &'static str, text: impl Into<String>) -> Self {
        Self { is_red: true, code, text: text.into() }
    }

    pub(crate) fn open(code: &'static str, text: impl Into<String>) -> Self {
        Self { is_red: false, code, text: text.into() }
    }

    /// Whether it is a red line. What is not is an open question.
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.is_red
    }

    /// A stable code, such as `plaintext-found`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// A sentence for a person.
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
