//! Sealing a batch.

use arrow_array::RecordBatch;
use rxseal::Sealer;
use rxseal::page::try_seal_page;

use crate::cells::{Cell, Column, Number};
use crate::error::BatchError;
use crate::faults::OnError;
use crate::keys::Keys;
use crate::lanes::{Lane, Refused, finish};
use crate::plan::{Plan, Tokens};
use crate::rows::Rows;

/// What a token of one block of 32 bytes has more than its content, as text.
const LONGER: usize = 128;

/// Seals the columns of the plan: all fields of a row in one pass, with the random bytes of 256 rows in one draw.
///
/// The columns may hold text, bytes, integers, floats, booleans or `Date32`, in each layout that Arrow has for them; a value becomes what
/// the schema says. A null stays null, unless the field seals what is absent too. The other columns stay as they are. The first value that
/// cannot be sealed fails the call, since a batch with null in its place would have lost it.
///
/// # Errors
///
/// `plan-refused`, also for a record type with a record tag; `column-missing`, `column-type`; those of
/// [`Record::seal`](rxseal::Record::seal), with row and column.
pub fn seal_batch<'a>(
    keys: impl Into<Keys<'a, Sealer>>,
    batch: &RecordBatch,
    plan: &Plan,
) -> Result<RecordBatch, BatchError> {
    refuse_tagged(plan)?;
    let keys = keys.into();
    let mut rows = Rows::new(keys.handle.record_type_of(&plan.record)?, plan, batch, keys.subjects)?;
    let lanes = plan.fields.iter().map(|planned| {
        let column = Column::of(batch, &planned.column)?;
        let kind = plan.token_type(column.width());
        Ok(Lane::new(planned, column, kind, batch.num_rows(), LONGER))
    });
    let mut lanes: Vec<Lane<'_>> = lanes.collect::<Result<_, BatchError>>()?;
    let (mut number, mut text) = (Number::default(), String::new());
    for place in rows.pages() {
        let page = rows.page(place.clone());
        Refused::new(page.refused, OnError::Raise)?;
        let mut row = place;
        try_seal_page(&page.records, |_, pass| {
            let row = row.next().unwrap_or_default();
            for lane in &mut lanes {
                let Lane { planned, column, built, .. } = lane;
                let field = &planned.field;
                let sealed = match column.cell(row, &mut number) {
                    Cell::Null if !field.seals_null() => {
                        built.push_null();
                        Ok(())
                    }
                    cell => built.push(|out| match plan.tokens {
                        Tokens::Binary => pass.seal_declared_into(field, cell.plain(), out).map(|()| true),
                        Tokens::Text => {
                            text.clear();
                            pass.seal_declared_text_into(field, cell.plain(), &mut text)?;
                            out.extend_from_slice(text.as_bytes());
                            Ok(true)
                        }
                    }),
                };
                sealed.map_err(|error: rxseal::Error| lane.refused(row, error))?;
            }
            Ok::<_, BatchError>(())
        })?;
    }
    finish(batch, plan.sealed_schema(batch.schema_ref())?, lanes)
}

/// A tag covers whole rows, and the columns of a plan need not be all of one.
pub(crate) fn refuse_tagged(plan: &Plan) -> Result<(), BatchError> {
    if plan.record.tag().is_some() {
        return Err(BatchError::plan(
            "this record type has a record tag, which covers whole rows: seal and reseal it through its record struct, or with `rxseal job`",
        ));
    }
    Ok(())
}
