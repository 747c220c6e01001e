//! Computing the index columns of a row again: under the primary index root, by the present definitions.

use super::keys::{RecordKeys as _, WithSubjects};
use super::open::RecordOpener;
use super::row_indexer::RowIndexer;
use super::traits::{PhiFields as _, SealedRecord, WholeRecord, verify_tag};
use crate::access::Access;
use crate::error::Error;
use crate::index::{Again, NotIndexed};
use crate::keyring::Keyring;
use crate::record::{Inwardly, OpenState, RecordCore};

/// A row whose index columns were computed again, and what was found.
///
/// Write it only if the stored row still has the tokens and the index values that you read, in one statement
/// ([`ReindexSql`](crate::columns::ReindexSql) makes it): another program may have changed the record meanwhile, and a new token must never
/// be beside an old value.
#[derive(Debug)]
pub struct Reindexed<S> {
    row: S,
    is_changed: bool,
    stale: Vec<&'static str>,
    not_indexed: Vec<NotIndexed>,
}

impl<S> Reindexed<S> {
    /// The row. Its tokens are those that it had.
    #[must_use]
    pub fn row(&self) -> &S {
        &self.row
    }

    /// Returns the row.
    #[must_use]
    pub fn into_row(self) -> S {
        self.row
    }

    /// Whether a column is another now. If not, there is nothing to write.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// The ids of the indexes whose value was not that of the record under any index root: somebody changed the field or the column without
    /// the other, or the value was made elsewhere. Searches missed the record there. Null is not stale.
    #[must_use]
    pub fn stale(&self) -> &[&'static str] {
        &self.stale
    }

    /// The indexes that refuse the record, such as one of a number with a wrong check digit. It is null there.
    #[must_use]
    pub fn not_indexed(&self) -> &[NotIndexed] {
        &self.not_indexed
    }
}

impl WithSubjects<'_> {
    /// The same row with its index columns computed again, under the primary index root and by the present definitions: for a change of
    /// the root or of a definition, and for rows that were sealed before they had the column. Its tokens stay as they are.
    ///
    /// A present value is verified before it is replaced. A record that an index refuses is null in it.
    ///
    /// This is an opening, and the observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and of [`Indexer::stored`](crate::index::Indexer::stored) except `not-indexable` and
    /// `bad-check-digit`.
    pub fn reindex<S: WholeRecord>(&self, row: &S, access: &Access) -> Result<Reindexed<S>, Error> {
        self.open_one(row, access, (Inwardly, reindexed, drop))
    }

    /// Many rows as one opening, of which the observer hears once. A row that does not open has its error in its place. If the observer
    /// refuses, each row has its refusal.
    pub fn reindex_all<'s, S: WholeRecord + 's>(
        &self,
        rows: impl IntoIterator<Item = &'s S>,
        access: &Access,
    ) -> Vec<Result<Reindexed<S>, Error>> {
        self.open_each(rows, access, (Inwardly, reindexed, drop))
    }
}

impl Keyring {
    /// The same row with its index columns computed again, under the primary index root and by the present definitions: for a change of
    /// the root or of a definition, and for rows that were sealed before they had the column. Its tokens stay as they are.
    ///
    /// A present value is verified before it is replaced. A record that an index refuses is null in it.
    ///
    /// This is an opening, and the observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and of [`Indexer::stored`](crate::index::Indexer::stored) except `not-indexable` and
    /// `bad-check-digit`.
    pub fn reindex<S: WholeRecord>(&self, row: &S, access: &Access) -> Result<Reindexed<S>, Error> {
        self.handle().reindex(row, access)
    }

    /// Many rows as one opening, of which the observer hears once. A row that does not open has its error in its place. If the observer
    /// refuses, each row has its refusal.
    pub fn reindex_all<'s, S: WholeRecord + 's>(
        &self,
        rows: impl IntoIterator<Item = &'s S>,
        access: &Access,
    ) -> Vec<Result<Reindexed<S>, Error>> {
        self.handle().reindex_all(rows, access)
    }
}

fn reindexed<S: SealedRecord>(row: &S, core: &RecordCore, state: &mut OpenState) -> Result<Reindexed<S>, Error> {
    verify_tag(core, row).inspect_err(|error| state.note_failure(error))?;
    let mut row = row.clone();
    let Again { is_changed, stale, not_indexed } = index_opened(core, &mut row, state)?;
    Ok(Reindexed { row, is_changed, stale, not_indexed })
}

/// Computes the index values of a row for the record that it became. They follow from its plaintext and its new subject (FORMAT 15.7). What
/// an index refuses is null in the row.
pub(super) fn index_anew<S: SealedRecord>(core: &RecordCore, row: &mut S) -> Result<Vec<NotIndexed>, Error> {
    if S::INDEX_COLUMNS.is_empty() {
        return Ok(Vec::new());
    }
    index_opened(core, row, &mut OpenState::default()).map(|again| again.not_indexed)
}

/// Opens a row, gives it its index values, and wipes what was opened: nobody gets it.
fn index_opened<S: SealedRecord>(core: &RecordCore, row: &mut S, state: &mut OpenState) -> Result<Again, Error> {
    let mut plain = row.open_fields(&mut RecordOpener::of(core, state))?;
    let mut indexer = RowIndexer::new(core);
    let computed = row.index_fields(&plain, &mut indexer);
    plain.wipe_sealed();
    computed.map(|()| indexer.found())
}
