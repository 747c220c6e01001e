//! Computing the index values of a row that has some (FORMAT 15.10).

use super::declared::Index;
use super::indexed::NotIndexed;
use super::of_record::{stored_in, verify};
use super::stored::StoredIndex;
use crate::error::{Error, ErrorCode};
use crate::record::RecordCore;

/// What was found while the index columns of a row were computed again.
#[derive(Default)]
pub(crate) struct Again {
    pub(crate) is_changed: bool,
    /// The indexes whose value was not that of the record.
    pub(crate) stale: Vec<&'static str>,
    pub(crate) not_indexed: Vec<NotIndexed>,
}

/// Gives a column what it has from now on. A record that is not indexable has null from now on.
pub(crate) fn index_again<I: Index>(
    core: &RecordCore,
    plain: &I::Record,
    column: &mut I::Stored,
    again: &mut Again,
) -> Result<(), Error> {
    let id = I::DEFINITION.id();
    let new = match stored_in::<I>(core, plain) {
        Err(error) if error.is_not_indexable() => {
            again.not_indexed.push(NotIndexed::new(id, error));
            I::Stored::default()
        }
        new => new?,
    };
    if new == *column {
        return Ok(());
    }
    // Null says nothing about the record: it may not have been indexed yet.
    if !column.values().is_empty() {
        match verify::<I>(&core.shared().keys, core.context(), plain, column) {
            Ok(()) => {}
            Err(error) if is_stale(&error) => again.stale.push(id),
            Err(error) => return Err(error),
        }
    }
    again.is_changed = true;
    *column = new;
    Ok(())
}

/// Whether it says that a value is not that of the record. What is no longer indexable had another value, or was made before it was refused.
fn is_stale(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::IndexStale | ErrorCode::IndexUnreadable) || error.is_not_indexable()
}
