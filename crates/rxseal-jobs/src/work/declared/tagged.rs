//! The operations on rows with a record tag: it is verified before anything of the row is opened or changed, and made anew after.

use rxseal::page::{Backfilled, OpenPass, RebindPass, ResealPass};
use rxseal::schema::{DeclaredRow, Plain};
use rxseal::{Error, RecordTag, Token};

use super::super::token_cell::{cell, looks_like_token, plain, tag, tag_cell, token};
use super::DeclaredWork;
use super::operations::{opened_cell, row_fault, sealable, stored};
use crate::fault::{FieldFault, Reason};
use crate::row::{Cell, Change, NewCell, Outcome, Row};

impl DeclaredWork {
    pub(super) fn backfill_tagged(&self, pass: &mut ResealPass<'_>, row: &Row<'_>, tag_at: usize) -> Outcome {
        let mut backfill = || {
            let cells = self.layout.fields.iter().map(|(at, field)| {
                sealable(field, row.cell(*at))?;
                plain(row.cell(*at)).map_err(|reason| FieldFault::new(field.id().as_str(), reason))
            });
            let cells: Vec<_> = cells.collect::<Result<_, _>>()?;
            let former = tag(row.cell(tag_at)).map_err(|error| tag_fault(&error))?;
            let done = pass
                .backfill_row(&self.record, &cells, &self.bound(row)?, former)
                .map_err(|error| tag_fault(&error))?;
            let mut change = Change::default();
            for ((at, _), backfilled) in self.layout.fields.iter().zip(&done.cells) {
                if let Backfilled::Sealed(token) = backfilled {
                    // An absence that is sealed was no plaintext before.
                    change.sealed = change.sealed.saturating_add(u64::from(!row.cell(*at).is_null()));
                    change.cells.push((*at, cell(token, row.cell(*at))));
                }
            }
            if let Some(tag) = &done.tag {
                change.cells.push(tag_change(tag, row, tag_at)?);
            }
            Ok(change)
        };
        written(backfill())
    }

    pub(super) fn reseal_tagged(&self, pass: &mut ResealPass<'_>, row: &Row<'_>, tag_at: usize) -> Outcome {
        let target = self.keys.primary_key();
        let mut reseal = || {
            let present = self.declared(row, tag_at)?;
            let is_old =
                present.tag().key_id() != Some(target) || tokens(&present).any(|token| token.key_id() != target);
            let moved = pass.reseal_row(&present).map_err(|error| tag_fault(&error))?;
            // Verified and opened in either case, so that a forged row is found under any key.
            if is_old { self.moved(row, &moved, tag_at) } else { Ok(Change::default()) }
        };
        written(reseal())
    }

    pub(super) fn unseal_tagged(&self, pass: &mut OpenPass<'_>, row: &Row<'_>, tag_at: usize) -> Outcome {
        let mut unseal = || {
            if row.cell(tag_at).is_null()
                && self.layout.fields.iter().all(|(at, _)| !matches!(token(row.cell(*at)), Ok(Some(_))))
            {
                if let Some((_, field)) = self.layout.fields.iter().find(|(at, _)| looks_like_token(row.cell(*at))) {
                    return Err(FieldFault::new(field.id().as_str(), Reason::LooksLikeToken));
                }
                // It was unsealed before.
                return Ok(Change::default());
            }
            let present = self.declared(row, tag_at)?;
            let opened = pass.open_row(&present).map_err(|error| tag_fault(&error))?;
            let mut change = Change::default();
            for ((at, _), opened) in self.layout.fields.iter().zip(&opened) {
                if !row.cell(*at).is_null() {
                    change.unsealed = change.unsealed.saturating_add(1);
                    change.cells.push((*at, opened_cell(opened)));
                }
            }
            change.cells.push((tag_at, NewCell::Null));
            Ok(change)
        };
        written(unseal())
    }

    pub(super) fn rebind_tagged(&self, pass: &mut RebindPass<'_>, row: &Row<'_>, tag_at: usize) -> Outcome {
        let mut rebind = || {
            let present = self.declared(row, tag_at)?;
            let moved = pass.rebind_row(&present).map_err(|error| tag_fault(&error))?;
            self.moved(row, &moved, tag_at)
        };
        written(rebind())
    }

    /// A row of tokens with its tag.
    fn declared(&self, row: &Row<'_>, tag_at: usize) -> Result<DeclaredRow, FieldFault> {
        let tokens = self.layout.fields.iter().map(|(at, field)| stored(field, row.cell(*at)));
        let tokens: Vec<Option<Token>> = tokens.collect::<Result<_, _>>()?;
        let tag = tag(row.cell(tag_at)).map_err(|error| tag_fault(&error))?;
        DeclaredRow::new(&self.record, tokens, &self.bound(row)?, tag).map_err(|error| tag_fault(&error))
    }

    /// What the tag covers beside the fields.
    fn bound<'r>(&self, row: &Row<'r>) -> Result<Vec<Plain<'r>>, FieldFault> {
        let bound =
            self.layout.bound.iter().map(|at| plain(row.cell(*at)).map_err(|reason| FieldFault::new("", reason)));
        bound.collect()
    }

    /// The cells of a row that was sealed anew.
    fn moved(&self, row: &Row<'_>, moved: &DeclaredRow, tag_at: usize) -> Result<Change, FieldFault> {
        let mut change = Change::default();
        for ((at, _), tokens) in self.layout.fields.iter().zip(moved.tokens()) {
            if let Some(token) = tokens.one() {
                change.cells.push((*at, cell(token, row.cell(*at))));
            }
        }
        change.cells.push(tag_change(&moved.tag(), row, tag_at)?);
        Ok(change)
    }
}

fn tokens(row: &DeclaredRow) -> impl Iterator<Item = &Token> {
    row.tokens().iter().filter_map(|tokens| tokens.one())
}

fn tag_change(tag: &RecordTag, row: &Row<'_>, tag_at: usize) -> Result<(usize, NewCell), FieldFault> {
    let was: Cell<'_> = row.cell(tag_at);
    tag_cell(tag, was).map(|cell| (tag_at, cell)).map_err(|error| tag_fault(&error))
}

/// A fault of the row, or of the field that the error names.
fn tag_fault(error: &Error) -> FieldFault {
    row_fault(error, "")
}

fn written(change: Result<Change, FieldFault>) -> Outcome {
    match change {
        Ok(change) if change.cells.is_empty() => Outcome::Same,
        Ok(change) => Outcome::Write(change),
        Err(fault) => Outcome::Fault(vec![fault]),
    }
}
