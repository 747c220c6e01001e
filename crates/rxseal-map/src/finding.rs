//! What a check of a map found.

use std::fmt;

use crate::place::Place;
use crate::source::Source;

/// Something that a check found in a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    is_fault: bool,
    code: &'static str,
    line: usize,
    source: Option<Box<str>>,
    place: Option<Place>,
    text: Box<str>,
}

impl Finding {
    /// Whether the map, the schema or the database must change. Otherwise it is a note: something that somebody should know.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.is_fault
    }

    /// What it is, for programs, such as `field-unknown`. Codes are added, and never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The line of the map. 0 if it is about something that the map does not name.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What the map says after `at` in the source that it is about.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The place that it is about. It need not be in the map.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn new(is_fault: bool, code: &'static str, text: impl Into<Box<str>>) -> Self {
        Self { is_fault, code, line: 0, source: None, place: None, text: text.into() }
    }

    pub(crate) fn fault(code: &'static str, text: impl Into<Box<str>>) -> Self {
        Self::new(true, code, text)
    }

    pub(crate) fn note(code: &'static str, text: impl Into<Box<str>>) -> Self {
        Self::new(false, code, text)
    }

    pub(crate) fn of(self, source: &Source) -> Self {
        Self { source: Some(source.name().into()), line: source.line(), ..self }
    }

    pub(crate) fn at(self, place: &Place, line: usize) -> Self {
        Self { place: Some(place.clone()), line, ..self }
    }
}

/// `line 7, postgres:public.rx, drug: ..`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        match (&self.source, &self.place) {
            (Some(source), Some(place)) => write!(f, "{source}, {place}: ")?,
            (Some(source), None) => write!(f, "{source}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.text)
    }
}
