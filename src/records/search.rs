//! Opening the candidates of a search whose rows are record structs.

use std::sync::Arc;

use super::calls::{OpenRow, open, open_unverified};
use super::keys::WithSubjects;
use super::traits::{PhiFields, SealedRecord, WholeRecord, types_of};
use crate::access::Access;
use crate::error::Error;
use crate::observe::Asked;
use crate::record::{MayOpen, SearchAudit};

/// A hit, or why a candidate did not open, with its place among the candidates.
type Found<T> = (usize, Result<T, Error>);

impl<R: MayOpen> WithSubjects<'_, R> {
    /// Opens a page of candidates of a search, as one opening, and hands out those for which `is_hit` says so, with their places. What is no
    /// hit is wiped, as far as the types of its sealed fields can be. A record tag is verified first. A candidate that does not open has its error.
    ///
    /// The crate rxseal-search has the form that a program uses.
    ///
    /// # Errors
    ///
    /// `refused-by-observer`. Nothing is opened then.
    pub fn open_candidates<S: WholeRecord>(
        &self,
        rows: &[S],
        asked: Asked<'_>,
        access: &Access,
        is_hit: impl FnMut(&S::Open) -> bool,
    ) -> Result<Vec<Found<S::Open>>, Error> {
        self.open_found(rows, asked, access, open, is_hit)
    }

    /// The same without verifying record tags: for rows of a struct that says `projection`.
    ///
    /// # Errors
    ///
    /// `refused-by-observer`.
    pub fn open_candidates_unverified<S: SealedRecord>(
        &self,
        rows: &[S],
        asked: Asked<'_>,
        access: &Access,
        is_hit: impl FnMut(&S::Open) -> bool,
    ) -> Result<Vec<Found<S::Open>>, Error> {
        self.open_found(rows, asked, access, open_unverified, is_hit)
    }

    fn open_found<S: SealedRecord>(
        &self,
        rows: &[S],
        asked: Asked<'_>,
        access: &Access,
        open: OpenRow<S>,
        is_hit: impl FnMut(&S::Open) -> bool,
    ) -> Result<Vec<Found<S::Open>>, Error> {
        let (mut cores, mut with_core, mut found) =
            (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            match self.core(types_of::<S>(), row.record_ids()) {
                Ok(core) => {
                    cores.push(Arc::new(core));
                    with_core.push((at, row));
                }
                Err(error) => found.push((at, Err(error))),
            }
        }
        let audit = SearchAudit::begin(asked, cores, access)?;
        let opened = audit.open_each(
            with_core,
            |(_, row), core, state| open(row, core, state),
            is_hit,
            |mut value| value.wipe_sealed(),
        )?;
        found.extend(opened.into_iter().map(|((at, _), opened)| (at, opened)));
        found.sort_by_key(|(at, _)| *at);
        Ok(found)
    }
}
