//! A promise that was not kept.

use std::error::Error as StdError;
use std::fmt;

/// The promise that the tested root key or store broke, and how it was seen. Its `Debug` is its text, so that `unwrap`
/// in a test shows it.
pub struct Broken {
    promise: &'static str,
    seen: String,
}

impl Broken {
    pub(crate) fn new(promise: &'static str, seen: impl Into<String>) -> Self {
        Self { promise, seen: seen.into() }
    }

    /// The error and the texts of its causes are what was seen.
    pub(crate) fn by(promise: &'static str, error: &(dyn StdError + 'static)) -> Self {
        Self::new(promise, with_causes(error))
    }

    /// The promise, such as `a call ends within 30 seconds`. It is constant, so that a test can expect it.
    #[must_use]
    pub fn promise(&self) -> &'static str {
        self.promise
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (seen: {})", self.promise, self.seen)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Broken {}

/// The text of an error and of its causes.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts.join(": ")
}

/// `Err` with this promise unless it holds.
pub(crate) fn hold(promise: &'static str, holds: bool, seen: impl Into<String>) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken::new(promise, seen)) }
}
