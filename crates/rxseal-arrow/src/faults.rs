//! What was wrong with single rows.

use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::error::BatchError;

/// Whether a row that is refused ends the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The call fails with the first such row, and returns nothing of the batch.
    #[default]
    Raise,
    /// The call goes on, and lists it: the row has null in the place of what did not open.
    Report,
}

/// A cell that was refused: which, and why. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    row: usize,
    field: Option<&'static str>,
    reason: &'static str,
}

impl Fault {
    pub(crate) fn of(row: usize, error: &BatchError) -> Self {
        Self { row, field: error.field_id(), reason: error.code() }
    }

    /// The same fault of a batch that is behind so many rows of a table.
    #[must_use]
    pub fn behind(self, rows: usize) -> Self {
        Self { row: self.row.saturating_add(rows), ..self }
    }

    /// The row of the batch, counted from 0.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// The id of the field. `None` if the record itself was refused, such as for its id.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// The [code](BatchError::code) of the error, such as `open-failed`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

/// The faults as a table: `row` (`UInt64`), `field` and `reason` (`Utf8`). `field` is null if the record itself was refused.
#[must_use]
pub fn faults_table(faults: &[Fault]) -> RecordBatch {
    let rows = UInt64Array::from_iter_values(faults.iter().map(|fault| u64::try_from(fault.row).unwrap_or(u64::MAX)));
    let fields = faults.iter().map(|fault| fault.field).collect::<StringArray>();
    let reasons = StringArray::from_iter_values(faults.iter().map(|fault| fault.reason));
    let columns: [ArrayRef; 3] = [Arc::new(rows), Arc::new(fields), Arc::new(reasons)];
    // The columns are as long as each other and of these types, so there is no other outcome.
    RecordBatch::try_new(faults_schema(), columns.to_vec()).unwrap_or_else(|_| RecordBatch::new_empty(faults_schema()))
}

fn faults_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("row", DataType::UInt64, false),
        Field::new("field", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, false),
    ]))
}

/// Without the batch, whose own `Debug` prints every value.
pub(crate) fn fmt_counts(f: &mut fmt::Formatter<'_>, name: &str, batch: &RecordBatch, faults: &[Fault]) -> fmt::Result {
    f.debug_struct(name).field("rows", &batch.num_rows()).field("faults", &faults.len()).finish_non_exhaustive()
}
