//! The records of a batch's rows, page by page.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow_array::RecordBatch;
use rxseal::records::SubjectSource;
use rxseal::roles::Role;
use rxseal::{Record, RecordType};

use crate::cells::{Cell, Column, Number};
use crate::error::BatchError;
use crate::plan::Plan;

/// How many records are one opening, of which an observer hears once.
pub(crate) const PAGE: usize = 1_000;

/// Who the rows of a batch are.
pub(crate) struct Rows<'b, R> {
    record_type: RecordType<R>,
    plan: &'b Plan,
    ids: Vec<Column<'b>>,
    /// The text of each id's number.
    numbers: Vec<Number>,
    subject: Option<Column<'b>>,
    /// The text of the subject's number.
    subject_number: Number,
    subjects: Option<&'b dyn SubjectSource>,
    len: usize,
}

/// Records that follow each other, and the rows that are none.
pub(crate) struct Page<R> {
    pub(crate) records: Vec<Record<R>>,
    /// The row of each record.
    pub(crate) rows: Vec<usize>,
    pub(crate) refused: Vec<(usize, BatchError)>,
}

impl<'b, R: Role> Rows<'b, R> {
    pub(crate) fn new(
        record_type: RecordType<R>,
        plan: &'b Plan,
        batch: &'b RecordBatch,
        subjects: Option<&'b dyn SubjectSource>,
    ) -> Result<Self, BatchError> {
        if plan.ids.len() != plan.record.ids().len() {
            return Err(BatchError::plan(format!(
                "the id of this record type has {} parts, and the plan names {} columns for it",
                plan.record.ids().len(),
                plan.ids.len()
            )));
        }
        let ids = plan.ids.iter().map(|name| Column::of_ids(batch, name)).collect::<Result<Vec<_>, _>>()?;
        let numbers = ids.iter().map(|_| Number::default()).collect();
        let subject = subject_column(plan, batch)?;
        let (subject_number, len) = (Number::default(), batch.num_rows());
        Ok(Self { record_type, plan, ids, numbers, subject, subject_number, subjects, len })
    }

    /// The places of the pages.
    pub(crate) fn pages(&self) -> impl Iterator<Item = Range<usize>> + use<R> {
        let len = self.len;
        (0..len).step_by(PAGE).map(move |start| start..len.min(start.saturating_add(PAGE)))
    }

    pub(crate) fn page(&mut self, rows: Range<usize>) -> Page<R> {
        let mut page =
            Page { records: Vec::with_capacity(rows.len()), rows: Vec::with_capacity(rows.len()), refused: Vec::new() };
        for row in rows {
            match self.record(row) {
                Ok(record) => {
                    page.records.push(record);
                    page.rows.push(row);
                }
                Err(error) => page.refused.push((row, error.at_row(row))),
            }
        }
        page
    }

    fn record(&mut self, row: usize) -> Result<Record<R>, BatchError> {
        let record = self.record_of_id(row)?;
        let Self { plan, subject: Some(column), subject_number, subjects, .. } = self else { return Ok(record) };
        let Cell::Text(id) = column.cell(row, subject_number) else {
            let required = plan.record.subject().is_some_and(|subject| !subject.is_optional());
            return if required { Err(BatchError::no_id().in_column(column.name)) } else { Ok(record) };
        };
        let Some(subjects) = subjects else {
            return Err(BatchError::plan(
                "the records have subjects, and no keys of subjects were given: `Keys::with_subjects`",
            ));
        };
        let with_key = subjects.subject_key(id).and_then(|key| record.subject(key));
        with_key.map_err(|error| BatchError::from(error).in_column(column.name))
    }

    fn record_of_id(&mut self, row: usize) -> Result<Record<R>, BatchError> {
        let Self { record_type, plan, ids, numbers, .. } = self;
        let record = |cells: &[Cell<'_>]| {
            if cells.iter().any(|cell| matches!(cell, Cell::Null)) {
                return Err(BatchError::no_id());
            }
            // One spelling of each id: what is sealed under another one, the program would not find.
            Ok(match cells {
                [only] => record_type.record(plan.record.record_id(&[only.plain()])?)?,
                _ => {
                    let cells: Vec<_> = cells.iter().map(|cell| cell.plain()).collect();
                    record_type.record(plan.record.record_id(&cells)?)?
                }
            })
        };
        // One column is the usual case, and takes no list.
        if let ([id], [number]) = (ids.as_slice(), numbers.as_mut_slice()) {
            return record(&[id.cell(row, number)]).map_err(|error| error.in_column(id.name));
        }
        let cells: Vec<_> = ids.iter().zip(numbers).map(|(id, number)| id.cell(row, number)).collect();
        record(&cells)
    }
}

/// The ids of the subjects of a batch, each once, so that their keys can be loaded before the batch is sealed or opened.
///
/// # Errors
///
/// `column-missing`, `column-type`.
pub fn subjects(batch: &RecordBatch, plan: &Plan) -> Result<BTreeSet<String>, BatchError> {
    let Some(column) = subject_column(plan, batch)? else { return Ok(BTreeSet::new()) };
    let mut number = Number::default();
    let mut ids = BTreeSet::new();
    for row in 0..batch.num_rows() {
        if let Cell::Text(id) = column.cell(row, &mut number)
            && !ids.contains(id)
        {
            ids.insert(id.to_owned());
        }
    }
    Ok(ids)
}

fn subject_column<'b>(plan: &Plan, batch: &'b RecordBatch) -> Result<Option<Column<'b>>, BatchError> {
    plan.subject.as_ref().map(|name| Column::of_ids(batch, name)).transpose()
}
