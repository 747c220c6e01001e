//! What gives the index columns of a row new values, as the derive's code calls it.

use crate::error::Error;
use crate::index::{self, Again, Index};
use crate::record::RecordCore;

/// Gives the index columns of a row new values.
#[expect(missing_debug_implementations, reason = "only generated code names it")]
pub struct RowIndexer<'r> {
    core: &'r RecordCore,
    again: Again,
    /// Whether a record that is not indexable is refused, as when it is sealed.
    is_strict: bool,
}

impl<'r> RowIndexer<'r> {
    /// For a row that is sealed.
    pub(super) fn strict(core: &'r RecordCore) -> Self {
        Self { core, again: Again::default(), is_strict: true }
    }

    /// For a row that has values.
    pub(super) fn again(core: &'r RecordCore) -> Self {
        Self { is_strict: false, ..Self::strict(core) }
    }

    /// What was found in the row.
    pub(super) fn found(self) -> Again {
        self.again
    }

    /// Gives one column what the record in plaintext has there.
    pub(super) fn index<I: Index>(&mut self, plain: &I::Record, column: &mut I::Stored) -> Result<(), Error> {
        if self.is_strict {
            *column = index::stored_in::<I>(self.core, plain)?;
            Ok(())
        } else {
            index::index_again::<I>(self.core, plain, column, &mut self.again)
        }
    }
}
