//! The operations on rows that need no type of the program.

use rxseal::page::{Backfilled, OpenPass, RebindPass, ResealPass, open_page, rebind_page, reseal_page};
use rxseal::schema::{FieldSchema, Opened, Plain};
use rxseal::subjects::LoadedSubjects;
use rxseal::{Error, ErrorCode, Record, Token};
use zeroize::Zeroizing;

use super::super::token_cell::{cell, holds_token, looks_like_token, plain, token};
use super::DeclaredWork;
use crate::fault::{FieldFault, Reason};
use crate::row::{Cell, Change, NewCell, Outcome, Row};
use crate::spec::Operation;
use crate::trouble::refused;

/// A row that has a record, with its place among all rows.
struct Ready<'a, 'r> {
    at: usize,
    row: &'a Row<'r>,
}

impl DeclaredWork {
    /// What becomes of rows whose subjects' keys are loaded.
    pub(super) fn apply(&self, rows: &[Row<'_>], loaded: &LoadedSubjects) -> Result<Vec<Outcome>, Error> {
        let mut outcomes: Vec<_> = rows.iter().map(|_| Outcome::Same).collect();
        let mut records = Vec::with_capacity(rows.len());
        let mut ready = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            match self.record_of(row, loaded) {
                Ok(record) => {
                    records.push(record);
                    ready.push(Ready { at, row });
                }
                Err(fault) => put(&mut outcomes, at, Outcome::Fault(vec![fault])),
            }
        }
        let done = match self.spec.operation() {
            Operation::Backfill => self.backfill(&records, &ready)?,
            Operation::Reseal => self.reseal(&records, &ready)?,
            Operation::Unseal => self.unseal(&records, &ready)?,
            Operation::AddSubject => self.add_subject(records, &ready)?,
            Operation::Reindex => return Err(refused("index values need the program's own types")),
        };
        for (Ready { at, .. }, outcome) in ready.into_iter().zip(done) {
            put(&mut outcomes, at, outcome);
        }
        Ok(outcomes)
    }

    fn backfill(&self, records: &[Record], ready: &[Ready<'_, '_>]) -> Result<Vec<Outcome>, Error> {
        reseal_page(records, |at, pass| {
            let row = row_of(ready, at);
            Ok(match self.layout.tag {
                Some(tag_at) => self.backfill_tagged(pass, row, tag_at),
                None => self.backfill_row(pass, row),
            })
        })
    }

    fn backfill_row(&self, pass: &mut ResealPass<'_>, row: &Row<'_>) -> Outcome {
        self.each_field(row, |field, was, change| match backfilled(pass, field, was)? {
            Some(token) => {
                // An absence that is sealed was no plaintext before.
                change.sealed = change.sealed.saturating_add(u64::from(!was.is_null()));
                Ok(Some(cell(&token, was)))
            }
            None => Ok(None),
        })
    }

    fn reseal(&self, records: &[Record], ready: &[Ready<'_, '_>]) -> Result<Vec<Outcome>, Error> {
        reseal_page(records, |at, pass| {
            let row = row_of(ready, at);
            Ok(match self.layout.tag {
                Some(tag_at) => self.reseal_tagged(pass, row, tag_at),
                None => self.reseal_row(pass, row),
            })
        })
    }

    fn reseal_row(&self, pass: &mut ResealPass<'_>, row: &Row<'_>) -> Outcome {
        let target = self.keys.primary_key();
        self.each_field(row, |field, was, _| {
            let fault = |error: &Error| sealing_fault(field, error);
            let Some(present) = stored(field, was)? else { return Ok(None) };
            if present.key_id() == target {
                // So that a forged token is found under any key.
                return pass.check_declared(field, &present).map(|()| None).map_err(|error| fault(&error));
            }
            let moved = pass.reseal_declared(field, &present).map_err(|error| fault(&error))?;
            Ok(Some(cell(&moved, was)))
        })
    }

    fn unseal(&self, records: &[Record], ready: &[Ready<'_, '_>]) -> Result<Vec<Outcome>, Error> {
        let Some(access) = &self.access else {
            return Err(refused("unsealing is an opening: say who opens and why with `with_access`"));
        };
        open_page(records, access, |at, pass| {
            let row = row_of(ready, at);
            Ok(match self.layout.tag {
                Some(tag_at) => self.unseal_tagged(pass, row, tag_at),
                None => self.unseal_row(pass, row),
            })
        })
    }

    pub(super) fn tokens_of(&self, row: &Row<'_>) -> u64 {
        let is_token = |(at, _): &&(usize, FieldSchema)| matches!(token(row.cell(*at)), Ok(Some(_)));
        u64::try_from(self.layout.fields.iter().filter(is_token).count()).unwrap_or(u64::MAX)
    }

    fn unseal_row(&self, pass: &mut OpenPass<'_>, row: &Row<'_>) -> Outcome {
        self.each_field(row, |field, was, change| {
            let present = match token(was) {
                Ok(Some(token)) => token,
                Err(_) if looks_like_token(was) => {
                    return Err(FieldFault::new(field.id().as_str(), Reason::LooksLikeToken));
                }
                // It is plaintext already.
                Ok(None) | Err(_) => return Ok(None),
            };
            let opened =
                pass.open_declared(field, &present).map_err(|error| FieldFault::of(&error, field.id().as_str()))?;
            change.unsealed = change.unsealed.saturating_add(1);
            Ok(Some(opened_cell(&opened)))
        })
    }

    fn add_subject(&self, records: Vec<Record>, ready: &[Ready<'_, '_>]) -> Result<Vec<Outcome>, Error> {
        let Some(access) = &self.access else {
            return Err(refused(
                "adding a subject opens the fields without it: say who opens and why with `with_access`",
            ));
        };
        // Those that already need the subject's key stay as they are.
        let has_subject = reseal_page(&records, |at, pass| Ok(self.opens(pass, row_of(ready, at))))?;
        let mut outcomes: Vec<_> = ready.iter().map(|_| Outcome::Same).collect();
        let (mut from, mut to, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let todo =
            records.into_iter().zip(ready).zip(has_subject).enumerate().filter(|(_, (_, has_subject))| !has_subject);
        for (place, ((record, Ready { row, .. }), _)) in todo {
            match self.record_without_subject(row) {
                Ok(without) => {
                    from.push(without);
                    to.push(record);
                    places.push((place, *row));
                }
                Err(fault) => put(&mut outcomes, place, Outcome::Fault(vec![fault])),
            }
        }
        let moved = rebind_page(&from, &to, access, |at, pass| {
            let Some((_, row)) = places.get(at) else { return Ok(Outcome::Same) };
            Ok(match self.layout.tag {
                Some(tag_at) => self.rebind_tagged(pass, row, tag_at),
                None => self.rebind_row(pass, row),
            })
        })?;
        for ((place, _), outcome) in places.into_iter().zip(moved) {
            put(&mut outcomes, place, outcome);
        }
        Ok(outcomes)
    }

    fn rebind_row(&self, pass: &mut RebindPass<'_>, row: &Row<'_>) -> Outcome {
        self.each_field(row, |field, was, _| {
            let fault = |error: Error| sealing_fault(field, &error);
            let Some(present) = stored(field, was)? else { return Ok(None) };
            pass.rebind_declared(field, &present).map(|token| Some(cell(&token, was))).map_err(fault)
        })
    }

    /// Whether all tokens of a row open.
    fn opens(&self, pass: &mut ResealPass<'_>, row: &Row<'_>) -> bool {
        self.layout.fields.iter().all(|(at, field)| match token(row.cell(*at)) {
            Ok(None) => true,
            Ok(Some(token)) => pass.check_declared(field, &token).is_ok(),
            Err(_) => false,
        })
    }

    /// What becomes of each sealed cell of a row. If one of them has a fault, the row stays as it is.
    fn each_field(
        &self,
        row: &Row<'_>,
        mut one: impl FnMut(&FieldSchema, Cell<'_>, &mut Change) -> Result<Option<NewCell>, FieldFault>,
    ) -> Outcome {
        let mut change = Change::default();
        let mut faults = Vec::new();
        for (at, field) in &self.layout.fields {
            match one(field, row.cell(*at), &mut change) {
                Ok(Some(cell)) => change.cells.push((*at, cell)),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        match (faults.is_empty(), change.cells.is_empty()) {
            (false, _) => Outcome::Fault(faults),
            (true, true) => Outcome::Same,
            (true, false) => Outcome::Write(change),
        }
    }
}

/// Refuses a value that holds a token but is not one itself: no reseal would find the token inside of a sealed value.
pub(super) fn sealable(field: &FieldSchema, was: Cell<'_>) -> Result<(), FieldFault> {
    if holds_token(was) && token(was).is_err() {
        return Err(FieldFault::new(field.id().as_str(), Reason::LooksLikeToken));
    }
    Ok(())
}

/// The token of a plaintext cell. `None` if it stays as it is.
fn backfilled(pass: &mut ResealPass<'_>, field: &FieldSchema, was: Cell<'_>) -> Result<Option<Token>, FieldFault> {
    if was.is_null() && (field.is_optional() || !field.seals_null()) {
        return Ok(None);
    }
    sealable(field, was)?;
    let was = plain(was).map_err(|reason| FieldFault::new(field.id().as_str(), reason))?;
    match pass.backfill_declared(field, was) {
        Ok(Backfilled::Sealed(token)) => Ok(Some(token)),
        Ok(_) => Ok(None),
        Err(error) => Err(sealing_fault(field, &error)),
    }
}

/// The token in a cell that should have one. Plaintext there is told apart from what only looks like a token.
pub(super) fn stored(field: &FieldSchema, was: Cell<'_>) -> Result<Option<Token>, FieldFault> {
    token(was).map_err(|error| {
        let reason = if looks_like_token(was) { Reason::LooksLikeToken } else { Reason::Code(error.code()) };
        FieldFault::new(field.id().as_str(), reason)
    })
}

fn put(outcomes: &mut [Outcome], at: usize, outcome: Outcome) {
    if let Some(place) = outcomes.get_mut(at) {
        *place = outcome;
    }
}

fn row_of<'a, 'r>(ready: &'a [Ready<'a, 'r>], at: usize) -> &'a Row<'r> {
    // A page has as many records as there are rows.
    const EMPTY: &Row<'static> = &Row::EMPTY;
    ready.get(at).map_or(EMPTY, |ready| ready.row)
}

/// A value that only begins like a token, or only holds one, is told apart from a token that does not open.
fn sealing_fault(field: &FieldSchema, error: &Error) -> FieldFault {
    row_fault(error, field.id().as_str())
}

/// The same of an error that may name its own field.
pub(super) fn row_fault(error: &Error, otherwise: &str) -> FieldFault {
    match error.code() {
        ErrorCode::NotAToken | ErrorCode::TokenAsPlaintext | ErrorCode::TokenInside => {
            FieldFault::new(error.field_id().unwrap_or(otherwise), Reason::LooksLikeToken)
        }
        _ => FieldFault::of(error, otherwise),
    }
}

pub(super) fn opened_cell(opened: &Opened) -> NewCell {
    match opened.expose() {
        Plain::Text(text) => NewCell::Text(Zeroizing::new(text.to_owned())),
        Plain::Bytes(bytes) => NewCell::Bytes(Zeroizing::new(bytes.to_vec())),
        _ => NewCell::Null,
    }
}
