//! The operations on rows of the program's types.

use rxseal::records::PhiFields as _;
use rxseal::records::WithSubjects;
use rxseal::subjects::LoadedSubjects;
use rxseal::{Access, Error, ErrorCode};

use super::writing::cells;
use super::{TableRow, TypedWork};
use crate::fault::{FieldFault, Reason};
use crate::row::{Change, Outcome, Row};
use crate::spec::{ColumnRole, Operation};
use crate::trouble::refused;

/// A row that was read, with its place among all rows.
struct Ready<'a, 'r, S> {
    at: usize,
    was: &'a Row<'r>,
    row: S,
}

/// What a backfill finds in a row.
struct Plain {
    /// How many cells are to be sealed.
    cells: usize,
    /// How many of them a count of the table finds.
    counted: u64,
    /// Whether a cell has a token.
    has_tokens: bool,
    /// Values that hold a token.
    holding: Vec<FieldFault>,
}

impl<S: TableRow> TypedWork<S> {
    /// What becomes of rows whose subjects' keys are loaded.
    pub(super) fn apply(
        &self,
        rows: &[Row<'_>],
        read: Vec<Result<S, Vec<FieldFault>>>,
        loaded: &LoadedSubjects,
    ) -> Result<Vec<Outcome>, Error> {
        let keys = self.keys.with_subjects(loaded);
        let mut outcomes = Vec::with_capacity(rows.len());
        let mut ready = Vec::with_capacity(rows.len());
        for (at, (was, row)) in rows.iter().zip(read).enumerate() {
            match row {
                Ok(row) => {
                    outcomes.push(Outcome::Same);
                    ready.push(Ready { at, was, row });
                }
                Err(faults) => outcomes.push(Outcome::Fault(faults)),
            }
        }
        let places: Vec<_> = ready.iter().map(|ready| ready.at).collect();
        let done = match self.spec.operation() {
            Operation::Backfill => self.backfill(&keys, &ready)?,
            Operation::Reseal => self.reseal(&keys, &ready),
            Operation::Reindex => self.reindex(&keys, &ready)?,
            Operation::Unseal | Operation::AddSubject => {
                return Err(refused("this operation is done by the schema alone"));
            }
        };
        for (at, outcome) in places.into_iter().zip(done) {
            if let Some(place) = outcomes.get_mut(at) {
                *place = outcome;
            }
        }
        Ok(outcomes)
    }

    fn access(&self) -> Result<&Access, Error> {
        self.access
            .as_ref()
            .ok_or_else(|| refused("the operation opens rows: say who opens and why with `with_access`"))
    }

    fn backfill(&self, keys: &WithSubjects<'_>, ready: &[Ready<'_, '_, S>]) -> Result<Vec<Outcome>, Error> {
        let access = self.access()?;
        let plain: Vec<_> = ready.iter().map(|ready| self.plain(ready.was)).collect();
        let is_untagged = |ready: &&Ready<'_, '_, S>| self.has_no_tag(ready.was);
        // A row that was never sealed has no tag to verify. One that has a tag and plaintext was changed by somebody. So was one that has
        // tokens and no tag: a new tag would vouch for what nobody verified.
        let has_tags = self.spec.places(ColumnRole::Tag).next().is_some();
        let lost_its_tag =
            |ready: &Ready<'_, '_, S>, plain: &Plain| has_tags && plain.has_tokens && self.has_no_tag(ready.was);
        let todo = || {
            let todo = ready.iter().zip(&plain).filter(|(ready, plain)| plain.cells > 0 && !lost_its_tag(ready, plain));
            todo.map(|(ready, _)| ready)
        };
        let untagged: Vec<_> = todo().filter(is_untagged).map(|ready| &ready.row).collect();
        let tagged: Vec<_> = todo().filter(|ready| !is_untagged(ready)).map(|ready| &ready.row).collect();
        let mut untagged = keys.open_all_unverified(untagged, access).into_iter();
        let mut tagged = keys.open_all(tagged, access).into_iter();
        let one = |(ready, plain): (&Ready<'_, '_, S>, &Plain)| {
            if plain.cells == 0 {
                return checked(keys, &ready.row).map(|()| Outcome::Same);
            }
            if lost_its_tag(ready, plain) {
                return Err(vec![FieldFault::new("", Reason::Code(ErrorCode::TagMissing))]);
            }
            let opened = if is_untagged(&ready) { untagged.next() } else { tagged.next() };
            let mut opened =
                opened.unwrap_or_else(|| Err(refused("a row was not opened"))).map_err(|error| fault(&error))?;
            // A token inside of a sealed value would never be found again.
            let sealed = if plain.holding.is_empty() { self.sealed(keys, &opened) } else { Err(plain.holding.clone()) };
            opened.wipe_sealed();
            let mut change = self.change(ready.was, &sealed?)?;
            change.sealed = plain.counted;
            Ok(Outcome::Write(change))
        };
        Ok(ready.iter().zip(&plain).map(one).map(outcome).collect())
    }

    fn sealed(&self, keys: &WithSubjects<'_>, opened: &S::Open) -> Result<S, Vec<FieldFault>> {
        let sealed = if self.or_null { keys.seal_or_null(opened).map(|(row, _)| row) } else { keys.seal(opened) };
        sealed.map_err(|error| fault(&error))
    }

    fn has_no_tag(&self, was: &Row<'_>) -> bool {
        self.spec.places(ColumnRole::Tag).all(|(at, _)| was.cell(at).is_null())
    }

    fn plain(&self, was: &Row<'_>) -> Plain {
        let mut plain = Plain { cells: 0, counted: 0, has_tokens: false, holding: Vec::new() };
        for (column, contents) in self.contents(was) {
            plain.cells = plain.cells.saturating_add(usize::from(contents.is_plain()));
            plain.counted = plain.counted.saturating_add(u64::from(contents.counts_as_plaintext()));
            plain.has_tokens |= contents.has_tokens();
            if contents.holds_tokens() {
                plain.holding.push(FieldFault::new(column.of(), Reason::LooksLikeToken));
            }
        }
        plain
    }

    fn reseal(&self, keys: &WithSubjects<'_>, ready: &[Ready<'_, '_, S>]) -> Vec<Outcome> {
        let needs: Vec<_> = ready.iter().map(|ready| ready.row.needs_reseal(&self.keys)).collect();
        let moved =
            ready.iter().zip(&needs).filter(|(_, needs)| matches!(needs, Ok(true))).map(|(ready, _)| &ready.row);
        let mut moved = keys.reseal_all(moved).into_iter();
        let one = |(ready, needs): (&Ready<'_, '_, S>, Result<bool, Error>)| match needs {
            Ok(true) => {
                let row = moved
                    .next()
                    .unwrap_or_else(|| Err(refused("a row was not resealed")))
                    .map_err(|error| fault(&error))?;
                Ok(Outcome::Write(self.change(ready.was, &row)?))
            }
            // So that a forged row is found under any key.
            Ok(false) => checked(keys, &ready.row).map(|()| Outcome::Same),
            Err(error) => Err(fault(&error)),
        };
        ready.iter().zip(needs).map(one).map(outcome).collect()
    }

    fn reindex(&self, keys: &WithSubjects<'_>, ready: &[Ready<'_, '_, S>]) -> Result<Vec<Outcome>, Error> {
        let found = keys.reindex_all(ready.iter().map(|ready| &ready.row), self.access()?);
        let one = |(ready, found): (&Ready<'_, '_, S>, Result<_, Error>)| {
            let found: rxseal::records::Reindexed<S> = found.map_err(|error| fault(&error))?;
            if !self.or_null && !found.not_indexed().is_empty() {
                let faults = found.not_indexed().iter().map(|refused| FieldFault::of(refused.error(), ""));
                return Err(faults.collect());
            }
            if found.is_changed() {
                Ok(Outcome::Write(self.change(ready.was, found.row())?))
            } else {
                Ok(Outcome::Same)
            }
        };
        Ok(ready.iter().zip(found).map(one).map(outcome).collect())
    }

    /// The cells of the new row that differ from those that were read.
    fn change(&self, was: &Row<'_>, row: &S) -> Result<Change, Vec<FieldFault>> {
        let new = cells(self.spec.columns(), was, row);
        let new = new.map_err(|_| vec![FieldFault::new("", Reason::Code(ErrorCode::InvalidInput))])?;
        let cells = new.into_iter().filter(|(at, cell)| !cell.is(was.cell(*at))).collect();
        Ok(Change { cells, ..Change::default() })
    }
}

/// Whether all tokens of a row open, and its tag is right.
fn checked<S: TableRow>(keys: &WithSubjects<'_>, row: &S) -> Result<(), Vec<FieldFault>> {
    row.check(keys).map_err(|error| fault(&error))
}

fn fault(error: &Error) -> Vec<FieldFault> {
    vec![FieldFault::of(error, "")]
}

fn outcome(result: Result<Outcome, Vec<FieldFault>>) -> Outcome {
    result.unwrap_or_else(Outcome::Fault)
}
