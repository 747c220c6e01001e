//! What passes between the work on rows, which knows no database, and the drivers, which know no keys.

use std::fmt;
use std::pin::Pin;

use rxseal::Error;
use zeroize::Zeroizing;

use crate::fault::FieldFault;
use crate::spec::Column;

/// A cell as the database holds it. It is borrowed from what the driver read, so no copy of a value is made.
#[derive(Clone, Copy)]
pub enum Cell<'r> {
    /// NULL, in a column that would hold this form.
    Null(Form),
    /// The text of a text column, or a number as its shortest decimal.
    Text(&'r str),
    /// The bytes of a binary column.
    Bytes(&'r [u8]),
    /// Neither. A value there is a fault.
    Other,
}

/// Whether a column holds text or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Tokens, tags and index values are in their text form.
    Text,
    /// They are bytes.
    Bytes,
}

impl Cell<'_> {
    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }
}

impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null(_) => "Null",
            Self::Text(_) => "Text([REDACTED])",
            Self::Bytes(_) => "Bytes([REDACTED])",
            Self::Other => "Other",
        })
    }
}

/// A row as it was read: its cells, in the order of [`ChunkWork::columns`].
#[derive(Clone, Debug)]
pub struct Row<'r> {
    cells: Vec<Cell<'r>>,
}

impl<'r> Row<'r> {
    /// A row without cells.
    pub(crate) const EMPTY: Self = Self { cells: Vec::new() };

    /// A row of these cells.
    #[must_use]
    pub fn new(cells: Vec<Cell<'r>>) -> Self {
        Self { cells }
    }

    /// The cells.
    #[must_use]
    pub fn cells(&self) -> &[Cell<'r>] {
        &self.cells
    }

    /// The cell of a column. NULL if there is no such column.
    #[must_use]
    pub fn cell(&self, at: usize) -> Cell<'r> {
        self.cells.get(at).copied().unwrap_or(Cell::Null(Form::Text))
    }
}

/// What a cell becomes. It is wiped on drop, since a job that unseals has plaintext in it.
#[derive(Clone, PartialEq, Eq)]
pub enum NewCell {
    /// NULL.
    Null,
    /// A text.
    Text(Zeroizing<String>),
    /// Bytes.
    Bytes(Zeroizing<Vec<u8>>),
}

impl NewCell {
    /// Whether a cell is already this.
    #[must_use]
    pub fn is(&self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Null, Cell::Null(_)) => true,
            (Self::Text(new), Cell::Text(text)) => new.as_str() == text,
            (Self::Bytes(new), Cell::Bytes(bytes)) => new.as_slice() == bytes,
            _ => false,
        }
    }
}

impl fmt::Debug for NewCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Text(_) => "Text([REDACTED])",
            Self::Bytes(_) => "Bytes([REDACTED])",
        })
    }
}

/// What is to be written of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Which cells become what: the place of the column, and the value.
    pub cells: Vec<(usize, NewCell)>,
    /// How many values are plaintext before and sealed after.
    pub sealed: u64,
    /// How many values are sealed before and plaintext after.
    pub unsealed: u64,
}

/// What the work found of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is already as the job wants it. Nothing is written.
    Same,
    /// These cells are written, all of them or none.
    Write(Change),
    /// It stays as it is, and is listed.
    Fault(Vec<FieldFault>),
}

/// What [`ChunkWork::run`] returns.
pub type WorkFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, Error>> + Send + 'a>>;

/// What a job does to the rows of a chunk, in memory. It reads and writes no table.
pub trait ChunkWork: Send + Sync {
    /// The columns that it reads, in the order of the cells of each row.
    fn columns(&self) -> &[Column];

    /// How many values of these rows [`run`](Self::run) would open and write as plaintext. They are charged to the job's [`Approval`](crate::Approval)
    /// before. Only an unseal has any.
    fn opens(&self, rows: &[Row<'_>]) -> u64 {
        let _ = rows;
        0
    }

    /// What becomes of these rows: one outcome for each, in their order. It loads the keys of subjects, and waits for nothing else.
    ///
    /// # Errors
    ///
    /// What concerns all rows, such as a store of subject keys that does not answer. What is wrong with one row is its outcome.
    fn run<'a>(&'a self, rows: &'a [Row<'a>]) -> WorkFuture<'a>;
}
