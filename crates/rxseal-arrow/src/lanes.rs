//! The columns that change, each with what it becomes.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use crate::built::{Built, Kind};
use crate::cells::{Cell, Column, Number};
use crate::error::BatchError;
use crate::faults::{Fault, OnError};
use crate::plan::Planned;

/// A column of the plan, and the one that is made of it.
pub(crate) struct Lane<'b> {
    pub(crate) planned: &'b Planned,
    pub(crate) column: Column<'b>,
    pub(crate) built: Built,
    kind: Kind,
}

impl<'b> Lane<'b> {
    /// With room for `more` bytes in each cell than the column has.
    pub(crate) fn new(planned: &'b Planned, column: Column<'b>, kind: Kind, rows: usize, more: usize) -> Self {
        let bytes = column.bytes().saturating_add(rows.saturating_mul(more));
        Self { planned, column, built: Built::with_room(rows, bytes), kind }
    }

    /// The error of one cell, with its place.
    pub(crate) fn refused(&self, row: usize, error: impl Into<BatchError>) -> BatchError {
        error.into().in_column(self.column.name).at_row(row)
    }

    /// What the cell was.
    pub(crate) fn keep(&mut self, row: usize) {
        let Self { column, built, .. } = self;
        // A column of tokens has no numbers.
        match column.cell(row, &mut Number::default()) {
            Cell::Null => built.push_null(),
            Cell::Text(text) => built.push_bytes(text.as_bytes()),
            Cell::Bytes(bytes) => built.push_bytes(bytes),
        }
    }
}

/// The batch with the lanes' new columns in the place of the old ones.
pub(crate) fn finish(batch: &RecordBatch, schema: SchemaRef, lanes: Vec<Lane<'_>>) -> Result<RecordBatch, BatchError> {
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    for Lane { column, built, kind, .. } in lanes {
        let made = built.finish(column.name, kind)?;
        if let Some(place) = columns.get_mut(column.at) {
            *place = made;
        }
    }
    RecordBatch::try_new(schema, columns).map_err(|_| BatchError::plan("the columns do not fit the batch's schema"))
}

/// The rows of a page that are no records, in their order, between those that are.
pub(crate) struct Refused {
    rows: std::iter::Peekable<std::vec::IntoIter<(usize, BatchError)>>,
}

impl Refused {
    /// # Errors
    ///
    /// The first of them, with [`OnError::Raise`].
    pub(crate) fn new(refused: Vec<(usize, BatchError)>, on_error: OnError) -> Result<Self, BatchError> {
        let mut rows = refused.into_iter();
        match on_error {
            OnError::Raise => match rows.next() {
                Some((_, error)) => Err(error),
                None => Ok(Self { rows: rows.peekable() }),
            },
            OnError::Report => Ok(Self { rows: rows.peekable() }),
        }
    }

    /// Those before `row`: lists each, and has `fill` put something into its place.
    pub(crate) fn before(&mut self, row: usize, faults: &mut Vec<Fault>, mut fill: impl FnMut(usize)) {
        while let Some((row, error)) = self.rows.next_if(|(refused, _)| *refused < row) {
            faults.push(Fault::of(row, &error));
            fill(row);
        }
    }
}
