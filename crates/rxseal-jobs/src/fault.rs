//! What a job could not do: which row, which field, and why. Never a value.

use std::fmt;

use rxseal::{Error, ErrorCode};
use serde::Serialize;

/// A row that a job left as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// The number of the chunk that the row is in.
    pub chunk: u32,
    /// The key of the row, as a JSON array of the texts of its columns.
    pub row_id: String,
    /// The id of the field, the name of a column, or nothing if it is the whole row.
    pub field: String,
    /// Why, as [`Reason::as_str`] writes it.
    pub reason: Reason,
}

impl Fault {
    /// A fault of a row.
    #[must_use]
    pub fn new(chunk: u32, row_id: String, fault: FieldFault) -> Self {
        Self { chunk, row_id, field: fault.field, reason: fault.reason }
    }
}

/// What is wrong with one field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The id of the field, the name of a column, or nothing if it is the whole row.
    pub field: String,
    /// Why.
    pub reason: Reason,
}

impl FieldFault {
    /// Of a field, or of the whole row if `field` is empty.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: Reason) -> Self {
        Self { field: field.into(), reason }
    }

    /// What an error of the library means for a row. The field is the error's own, or `otherwise`.
    #[must_use]
    pub fn of(error: &Error, otherwise: &str) -> Self {
        let field = error.field_id().or(error.index_id()).unwrap_or(otherwise);
        Self::new(field, Reason::Code(error.code()))
    }
}

/// Why a row was left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The value begins as a token does, or contains one, and does not open. It is never sealed, and never guessed.
    LooksLikeToken,
    /// The row was changed by another program each time that the job wanted to write it, or was locked all the time.
    Busy,
    /// A trigger or a rule of the table stored another value than the job wrote.
    Rewritten,
    /// The database refused to store what the job wrote: a check, a unique index or a trigger of the table.
    RefusedByDatabase,
    /// The column is neither text nor bytes in this row.
    ColumnType,
    /// Null in the column of an id.
    IdMissing,
    /// What the library refused, such as `open-failed`, `tag-refused` or `subject-missing`.
    Code(ErrorCode),
}

impl Reason {
    /// The reason as text. It stays the same for ever.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LooksLikeToken => "looks-like-token",
            Self::Busy => "busy",
            Self::Rewritten => "rewritten",
            Self::RefusedByDatabase => "refused-by-database",
            Self::ColumnType => "column-type",
            Self::IdMissing => "id-missing",
            Self::Code(code) => code.as_str(),
        }
    }

    /// The reason of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let codes = ErrorCode::ALL.iter().copied().map(Self::Code);
        OWN.into_iter().chain(codes).find(|reason| reason.as_str() == text)
    }
}

const OWN: [Reason; 6] = [
    Reason::LooksLikeToken,
    Reason::Busy,
    Reason::Rewritten,
    Reason::RefusedByDatabase,
    Reason::ColumnType,
    Reason::IdMissing,
];

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back() {
        for code in ErrorCode::ALL {
            assert_eq!(Reason::parse(code.as_str()), Some(Reason::Code(*code)));
        }
        for reason in OWN {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("no-such-reason"), None);
    }
}
