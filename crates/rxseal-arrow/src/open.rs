//! Opening a batch.

use std::fmt;

use arrow_array::RecordBatch;
use rxseal::page::try_open_page;
use rxseal::roles::OpenOnly;
use rxseal::schema::OpenedAs;
use rxseal::{Access, Opener};

use crate::cells::{Cell, Column, Number};
use crate::error::BatchError;
use crate::faults::{Fault, OnError, fmt_counts};
use crate::keys::Keys;
use crate::lanes::{Lane, Refused, finish};
use crate::plan::Plan;
use crate::rows::{Page, Rows};

/// An opened batch, and what did not open in it.
pub struct Opened {
    /// The batch, with values in the columns of the plan. Its buffers hold plaintext, which Arrow does not wipe.
    pub batch: RecordBatch,
    /// What did not open. The batch has null there. Empty with [`OnError::Raise`].
    pub faults: Vec<Fault>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_counts(f, "Opened", &self.batch, &self.faults)
    }
}

/// Opens the columns of the plan: all fields of a row in one pass, and each 1,000 rows as one opening, of which the observer hears once.
///
/// The other columns stay as they are, tokens among them. What is no token is never handed out as a value: it is `not-a-token`.
///
/// | type in the schema | opened column |
/// |---|---|
/// | text, times, UUIDs, decimals, JSON, integers of 128 bits | text, as wide as the column of tokens |
/// | bytes | binary, as wide as the column of tokens |
/// | dates | `Date32` |
/// | integers | `Int64`, or `UInt64` for `u64` |
/// | floats | `Float64` |
/// | booleans | `Boolean` |
///
/// # Errors
///
/// `refused-by-observer`; `plan-refused`, `column-missing`, `column-type`; with [`OnError::Raise`] the first row that does not open.
pub fn open_batch<'a>(
    keys: impl Into<Keys<'a, Opener>>,
    access: &Access,
    batch: &RecordBatch,
    plan: &Plan,
    on_error: OnError,
) -> Result<Opened, BatchError> {
    if plan.record.tag().is_some() && !plan.unverified {
        return Err(BatchError::plan(
            "this record type has a record tag, which opening by columns does not verify. If that will do, say `unverified` in the plan",
        ));
    }
    let keys = keys.into();
    let mut rows = Rows::new(keys.handle.record_type_of(&plan.record)?, plan, batch, keys.subjects)?;
    let lanes = plan.fields.iter().map(|planned| {
        let column = Column::of_tokens(batch, &planned.column)?;
        let kind = planned.kind(column.width());
        Ok(Lane::new(planned, column, kind, batch.num_rows(), 0))
    });
    let mut opening = Opening { lanes: lanes.collect::<Result<_, BatchError>>()?, faults: Vec::new(), on_error };
    for place in rows.pages() {
        opening.open(rows.page(place.clone()), place.end, access)?;
    }
    let Opening { lanes, faults, .. } = opening;
    Ok(Opened { batch: finish(batch, plan.opened_schema(batch.schema_ref())?, lanes)?, faults })
}

struct Opening<'b> {
    lanes: Vec<Lane<'b>>,
    faults: Vec<Fault>,
    on_error: OnError,
}

impl Opening<'_> {
    fn open(&mut self, page: Page<OpenOnly>, end: usize, access: &Access) -> Result<(), BatchError> {
        let Self { lanes, faults, on_error } = self;
        let mut refused = Refused::new(page.refused, *on_error)?;
        let mut rows = page.rows.iter();
        try_open_page(&page.records, access, |_, pass| {
            let row = *rows.next().unwrap_or(&end);
            refused.before(row, faults, |_| push_nulls(lanes));
            for lane in lanes.iter_mut() {
                let Lane { planned, column, built, .. } = lane;
                let opened = match column.cell(row, &mut Number::default()) {
                    Cell::Null => {
                        built.push_null();
                        Ok(())
                    }
                    Cell::Text(token) => {
                        built.push(|out| pass.open_declared_text_into(&planned.field, token, out).map(is_value))
                    }
                    Cell::Bytes(token) => {
                        built.push(|out| pass.open_declared_into(&planned.field, token, out).map(is_value))
                    }
                };
                if let Err(error) = opened {
                    let error = lane.refused(row, error);
                    match on_error {
                        OnError::Raise => return Err(error),
                        OnError::Report => faults.push(Fault::of(row, &error)),
                    }
                    lane.built.push_null();
                }
            }
            Ok(())
        })?;
        refused.before(end, faults, |_| push_nulls(lanes));
        Ok(())
    }
}

fn push_nulls(lanes: &mut [Lane<'_>]) {
    for lane in lanes {
        lane.built.push_null();
    }
}

fn is_value(opened: OpenedAs) -> bool {
    opened != OpenedAs::Null
}
