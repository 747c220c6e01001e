//! Cells of columns, in plaintext.

use std::fmt;

use crate::secret::PlainBuffer;

/// A cell of a column in plaintext, as the database gave it.
///
/// A number, a date or a truth value is text: read such a column as text (`column::text` in PostgreSQL, `CAST(column AS TEXT)` in SQLite).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Plain<'c> {
    /// Null.
    Null,
    /// Text.
    Text(&'c str),
    /// Bytes.
    Bytes(&'c [u8]),
}

impl fmt::Debug for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Plain(Null)",
            Self::Text(_) | Self::Bytes(_) => "Plain([REDACTED])",
        })
    }
}

/// What an opened cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenedAs {
    /// Null: the absence of a value was sealed.
    Null,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// A cell that was opened: what the column held before it was sealed. It is wiped on drop.
pub struct Opened {
    is: OpenedAs,
    content: PlainBuffer,
}

impl Opened {
    /// Of what is UTF-8 if it is text.
    pub(crate) fn new(is: OpenedAs, content: PlainBuffer) -> Self {
        Self { is, content }
    }

    /// Of no token.
    pub(crate) fn null() -> Self {
        Self { is: OpenedAs::Null, content: PlainBuffer::default() }
    }

    /// The cell.
    #[must_use]
    pub fn expose(&self) -> Plain<'_> {
        let content = self.content.as_slice();
        match self.is {
            OpenedAs::Null => Plain::Null,
            OpenedAs::Text => Plain::Text(std::str::from_utf8(content).unwrap_or_default()),
            OpenedAs::Bytes => Plain::Bytes(content),
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened([REDACTED])")
    }
}
