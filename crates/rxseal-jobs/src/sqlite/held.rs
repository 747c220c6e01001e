//! A row as it was read: owned, compared exactly, and wiped on drop.

use rusqlite::Row as SqlRow;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use zeroize::Zeroizing;

use super::place::{exact, shown};
use crate::row::{Cell, Form, NewCell, Row};

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
    fn cell(&self, form: Form) -> Cell<'_> {
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

/// A row as it was read.
#[derive(Clone, PartialEq)]
pub(super) struct HeldRow {
    /// What tells it apart.
    pub(super) row_id: Vec<Held>,
    /// What the chunks are divided by.
    key: Vec<Held>,
    /// In the order of the job's columns.
    cells: Vec<Held>,
}

impl HeldRow {
    /// Reads a row that begins with so many cells of the first two kinds.
    pub(super) fn read(row: &SqlRow<'_>, row_id: usize, key: usize, cells: usize) -> rusqlite::Result<Self> {
        let mut at = 0..;
        let mut held = |count| -> rusqlite::Result<Vec<Held>> {
            at.by_ref().take(count).map(|at| row.get_ref(at).map(Held::of)).collect()
        };
        Ok(Self { row_id: held(row_id)?, key: held(key)?, cells: held(cells)? })
    }

    /// What the work sees. A column without a value has its form.
    pub(super) fn row(&self, forms: &[Form]) -> Row<'_> {
        Row::new(self.cells.iter().zip(forms).map(|(held, form)| held.cell(*form)).collect())
    }

    /// What tells it apart, as one text.
    pub(super) fn exact(&self) -> String {
        exact(&self.row_id)
    }

    /// Its key, as people write it.
    pub(super) fn shown(&self) -> String {
        shown(&self.key)
    }

    /// The row with these cells in these places.
    pub(super) fn with(mut self, places: &[usize], new: Vec<Held>) -> Self {
        for (at, held) in places.iter().zip(new) {
            if let Some(cell) = self.cells.get_mut(*at) {
                *cell = held;
            }
        }
        self
    }
}
