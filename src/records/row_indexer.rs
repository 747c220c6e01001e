//! What gives the index columns of a row new values, as the derive's code calls it.

use crate::error::Error;
use crate::index::{self, Again, Index};
use crate::record::RecordCore;

/// Gives the index columns of a row new values. A record that an index refuses is null in it.
#[expect(missing_debug_implementations, reason = "only generated code names it")]
pub struct RowIndexer<'r> {
    core: &'r RecordCore,
    again: Again,
}

impl<'r> RowIndexer<'r> {
    pub(super) fn new(core: &'r RecordCore) -> Self {
        Self { core, again: Again::default() }
    }

    /// What was found in the row.
    pub(super) fn found(self) -> Again {
        self.again
    }

    /// Gives one column what the record in plaintext has there.
    pub(super) fn index<I: Index>(&mut self, plain: &I::Record, column: &mut I::Stored) -> Result<(), Error> {
        index::index_again::<I>(self.core, plain, column, &mut self.again)
    }
}
