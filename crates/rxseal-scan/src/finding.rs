//! One finding, and one thing that could not be decided. Neither has a value in it.

use std::fmt;

use crate::kind::{Certainty, Kind};

/// What was found in one place, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(crate) kind: Kind,
    pub(crate) certainty: Certainty,
    pub(crate) place: Option<Box<str>>,
    pub(crate) line: Option<u64>,
    pub(crate) known: Option<Box<str>>,
    pub(crate) encoding: Option<&'static str>,
    pub(crate) count: u64,
}

impl Finding {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How sure it is.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// The place: a column, or a place in the documents of one. `None` in a file of no form.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// The line of the first one, from 1 on. `None` in sources of a map.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// Of a [`Kind::KnownValue`], the name of the value, such as `canary-7 phone`.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        self.known.as_deref()
    }

    /// Of a [`Kind::KnownValue`], how it was written: one of [`KnownValues::ENCODINGS`](crate::KnownValues::ENCODINGS).
    #[must_use]
    pub fn encoding(&self) -> Option<&'static str> {
        self.encoding
    }

    /// How many. At least so many, if the [`Report`](crate::Report) says that something is undecided.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// `drug: 2 plaintext where the map says that tokens are`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(line) = self.line {
            write!(f, "from line {line} on: ")?;
        }
        write!(f, "{} {}", self.count, self.kind.said())?;
        match (&self.known, self.encoding) {
            (Some(known), Some(encoding)) => write!(f, " ({known}, as {encoding})"),
            _ => Ok(()),
        }
    }
}

/// What the scan could not decide. While there is one, nothing is proven to be clean, and every count is a least count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    pub(crate) code: &'static str,
    pub(crate) place: Option<Box<str>>,
    pub(crate) count: Option<u64>,
    pub(crate) text: Box<str>,
}

impl Undecided {
    pub(crate) fn new(code: &'static str, text: impl Into<Box<str>>) -> Self {
        Self { code, place: None, count: None, text: text.into() }
    }

    /// What it is, for programs: `not-read`, `no-rows`, `doubted`, `column-undeclared`, `cut-or-whole`, `format` or `line-too-long`. Codes
    /// are added, and never change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The place, if it is not the whole source or file.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// How many values it is about, if that is known.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.count
    }

    /// Why, and what to do.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// `note: nobody said what this column has ..`
impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(count) = self.count {
            write!(f, "{count} ")?;
        }
        f.write_str(&self.text)
    }
}
