//! A value as it was read: owned, compared exactly, and wiped on drop.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use zeroize::Zeroizing;

use crate::row::{Cell, Form, NewCell};

/// A value of a row.
#[derive(Clone, PartialEq)]
pub(super) enum Held {
    Null,
    Integer(i64, Zeroizing<String>),
    Real(f64, Zeroizing<String>),
    /// Without a promise that it is UTF-8.
    Text(Zeroizing<Vec<u8>>),
    Bytes(Zeroizing<Vec<u8>>),
}

impl Held {
    pub(super) fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number, Zeroizing::new(number.to_string())),
            ValueRef::Real(number) => Self::Real(number, Zeroizing::new(number.to_string())),
            ValueRef::Text(text) => Self::Text(Zeroizing::new(text.to_vec())),
            ValueRef::Blob(bytes) => Self::Bytes(Zeroizing::new(bytes.to_vec())),
        }
    }

    pub(super) fn new(cell: &NewCell) -> Self {
        match cell {
            NewCell::Null => Self::Null,
            NewCell::Text(text) => Self::text(text),
            NewCell::Bytes(bytes) => Self::Bytes(bytes.clone()),
        }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.as_bytes().to_vec()))
    }

    /// What the work sees: a number is the text of its shortest decimal.
    pub(super) fn cell(&self, form: Form) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null(form),
            Self::Integer(_, text) | Self::Real(_, text) => Cell::Text(text),
            Self::Text(bytes) => str::from_utf8(bytes).map_or(Cell::Other, Cell::Text),
            Self::Bytes(bytes) => Cell::Bytes(bytes),
        }
    }
}

impl ToSql for Held {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number, _) => ValueRef::Integer(*number),
            Self::Real(number, _) => ValueRef::Real(*number),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
