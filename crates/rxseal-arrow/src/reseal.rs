//! Resealing a batch.

use std::fmt;

use arrow_array::RecordBatch;
use rxseal::Keyring;
use rxseal::page::try_reseal_page;
use rxseal::roles::SealAndOpen;

use crate::built::Kind;
use crate::cells::{Cell, Column, Number};
use crate::error::BatchError;
use crate::faults::{Fault, OnError, fmt_counts};
use crate::keys::Keys;
use crate::lanes::{Lane, Refused, finish};
use crate::plan::Plan;
use crate::rows::{Page, Rows};
use crate::seal::refuse_tagged;

/// A resealed batch, and what did not open in it.
pub struct Resealed {
    /// The batch, with each token of the plan under the primary key. It has tokens only, and no plaintext.
    pub batch: RecordBatch,
    /// What did not open. The batch has it as it was. Empty with [`OnError::Raise`].
    pub faults: Vec<Fault>,
}

impl fmt::Debug for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_counts(f, "Resealed", &self.batch, &self.faults)
    }
}

/// Moves the tokens of the plan's columns to the primary key. No value leaves, so the observer is not told. A token that does not open stays
/// as it is with [`OnError::Report`], and is listed.
///
/// Columns keep their types: text stays text, and bytes stay bytes.
///
/// # Errors
///
/// `plan-refused`, also for a record type with a record tag; `column-missing`, `column-type`; with [`OnError::Raise`] the first token
/// that does not open.
pub fn reseal_batch<'a>(
    keys: impl Into<Keys<'a, Keyring>>,
    batch: &RecordBatch,
    plan: &Plan,
    on_error: OnError,
) -> Result<Resealed, BatchError> {
    refuse_tagged(plan)?;
    let keys = keys.into();
    let mut rows = Rows::new(keys.handle.record_type_of(&plan.record)?, plan, batch, keys.subjects)?;
    let lanes = plan.fields.iter().map(|planned| {
        let column = Column::of_tokens(batch, &planned.column)?;
        let width = column.width();
        let kind = if column.is_text() { Kind::Text(width) } else { Kind::Bytes(width) };
        Ok(Lane::new(planned, column, kind, batch.num_rows(), 0))
    });
    let mut resealing = Resealing {
        lanes: lanes.collect::<Result<_, BatchError>>()?,
        faults: Vec::new(),
        on_error,
        text: String::new(),
    };
    for place in rows.pages() {
        resealing.reseal(rows.page(place.clone()), place.end)?;
    }
    let Resealing { lanes, faults, .. } = resealing;
    Ok(Resealed { batch: finish(batch, batch.schema(), lanes)?, faults })
}

struct Resealing<'b> {
    lanes: Vec<Lane<'b>>,
    faults: Vec<Fault>,
    on_error: OnError,
    text: String,
}

impl Resealing<'_> {
    fn reseal(&mut self, page: Page<SealAndOpen>, end: usize) -> Result<(), BatchError> {
        let Self { lanes, faults, on_error, text } = self;
        let mut refused = Refused::new(page.refused, *on_error)?;
        let mut rows = page.rows.iter();
        try_reseal_page(&page.records, |_, pass| {
            let row = *rows.next().unwrap_or(&end);
            refused.before(row, faults, |row| keep(lanes, row));
            for lane in lanes.iter_mut() {
                let Lane { planned, column, built, .. } = lane;
                let resealed = match column.cell(row, &mut Number::default()) {
                    Cell::Null => {
                        built.push_null();
                        Ok(())
                    }
                    Cell::Text(token) => built.push(|out| {
                        text.clear();
                        pass.reseal_declared_text_into(&planned.field, token, text)?;
                        out.extend_from_slice(text.as_bytes());
                        Ok(true)
                    }),
                    Cell::Bytes(token) => {
                        built.push(|out| pass.reseal_declared_into(&planned.field, token, out).map(|()| true))
                    }
                };
                if let Err(error) = resealed {
                    let error: rxseal::Error = error;
                    let error = lane.refused(row, error);
                    match on_error {
                        OnError::Raise => return Err(error),
                        OnError::Report => faults.push(Fault::of(row, &error)),
                    }
                    lane.keep(row);
                }
            }
            Ok(())
        })?;
        refused.before(end, faults, |row| keep(lanes, row));
        Ok(())
    }
}

fn keep(lanes: &mut [Lane<'_>], row: usize) {
    for lane in lanes {
        lane.keep(row);
    }
}
