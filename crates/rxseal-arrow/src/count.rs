//! Which keys tokens are under: for the end of a reseal, and before a key is destroyed.

use arrow_array::RecordBatch;
use rxseal::count::KeyCounts;

use crate::cells::{Cell, Column, Number};
use crate::error::BatchError;

/// Counts the tokens of columns by key. It needs no key, and opens nothing: whoever writes a token can write any key id into it.
///
/// # Errors
///
/// `column-missing`; `column-type` for a column that holds neither text nor bytes.
pub fn count_batch(batch: &RecordBatch, columns: &[impl AsRef<str>]) -> Result<KeyCounts, BatchError> {
    let mut counts = KeyCounts::default();
    for name in columns {
        let column = Column::of_tokens(batch, name.as_ref())?;
        for row in 0..batch.num_rows() {
            match column.cell(row, &mut Number::default()) {
                Cell::Null => counts.add_nulls(1),
                Cell::Text(token) => counts.add_text(token),
                Cell::Bytes(token) => counts.add_bytes(token),
            }
        }
    }
    Ok(counts)
}
