//! A row as it was read, and what tells it apart.

use rusqlite::Row as SqlRow;

use super::held::Held;
use super::place::{exact, shown};
use crate::row::{Form, Row};

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
