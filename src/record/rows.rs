//! Whole rows of a declared record type. The record tag is verified before a token is opened or changed, and made anew after.

use super::core::RecordCore;
use super::declared::move_declared;
use super::open::OpenState;
use super::reader::{OpenPass, TokenForm};
use super::rebind::RebindPass;
use super::reseal::ResealPass;
use super::seal::{Claim, SealPass, SealState};
use super::{Backfilled, Record, Role, tagged};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::Identifier;
use crate::record_tag::{Cover, RecordTag};
use crate::schema::{
    Contents, DeclaredPart, DeclaredRow, FieldSchema, FieldTokens, Fields, Opened, Plain, RecordSchema, Shape,
};
use crate::token::Token;

impl DeclaredRow {
    /// Verifies the record tag: that all tokens and bound values of the row are those that were sealed together, in this record. It opens
    /// nothing, and needs no key of a class.
    ///
    /// # Errors
    ///
    /// `tag-refused` if anything differs, `tag-missing` if the row has no tag; `cover-unknown`; `unknown-key`, `key-destroyed`,
    /// `key-compromised`; `invalid-input` if parts were not given.
    pub fn verify<R: Role>(&self, record: &Record<R>) -> Result<(), Error> {
        verify(record.core(), self)
    }
}

impl SealPass<'_> {
    /// Seals a row of a record type: a cell for each of [`RecordSchema::fields`], and one for each of [`RecordSchema::bound`], in their
    /// order. `former` is the tag of the row that it replaces, or [`RecordTag::new`].
    ///
    /// # Errors
    ///
    /// Those of [`seal_declared`](Self::seal_declared) and [`DeclaredRow::new`]. `invalid-input` for a record type with lists, maps or
    /// parts, which a row of cells has not.
    pub fn seal_row(
        &mut self,
        schema: &RecordSchema,
        cells: &[Plain<'_>],
        bound: &[Plain<'_>],
        former: RecordTag,
    ) -> Result<DeclaredRow, Error> {
        check_flat(schema, cells)?;
        let seal = |(field, cell): (&FieldSchema, &Plain<'_>)| seal_or_null(self, field, *cell).map(FieldTokens::from);
        let tokens = schema.fields().iter().zip(cells).map(seal).collect::<Result<Vec<_>, Error>>()?;
        let row = DeclaredRow::new(schema, tokens, bound, former)?;
        renewed(self.core, row)
    }
}

fn seal_or_null(pass: &mut SealPass<'_>, field: &FieldSchema, cell: Plain<'_>) -> Result<Option<Token>, Error> {
    match cell {
        Plain::Null if field.is_optional() => Ok(None),
        cell => pass.seal_declared(field, cell).map(Some),
    }
}

impl OpenPass<'_> {
    /// Opens the fields of a row, in the order of [`RecordSchema::fields`], after its record tag was verified. What has no token is
    /// [`Plain::Null`].
    ///
    /// # Errors
    ///
    /// Those of [`open_declared`](Self::open_declared) and [`DeclaredRow::verify`]; `invalid-input` for lists and maps.
    pub fn open_row(&mut self, row: &DeclaredRow) -> Result<Vec<Opened>, Error> {
        verify(self.core, row).inspect_err(|error| self.state.note_failure(error))?;
        let open = |(field, tokens): (&FieldSchema, &FieldTokens)| match tokens {
            FieldTokens::Null => Ok(Opened::null()),
            FieldTokens::One(token) => self.open_declared(field, token),
            _ => Err(not_flat().at_field(field.id()).in_record(row.schema.record_type())),
        };
        row.schema.fields().iter().zip(row.tokens()).map(open).collect()
    }
}

/// What became of a row that is being sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackfilledRow {
    /// What became of each cell, in the order of [`RecordSchema::fields`]. Null is kept.
    pub cells: Vec<Backfilled>,
    /// The new record tag, if rows have one and this row was changed.
    pub tag: Option<RecordTag>,
}

impl ResealPass<'_> {
    /// The same row with every token under the primary key, and a new record tag.
    ///
    /// # Errors
    ///
    /// Those of [`reseal_declared`](Self::reseal_declared) and [`DeclaredRow::verify`]. Nothing is changed then.
    pub fn reseal_row(&mut self, row: &DeclaredRow) -> Result<DeclaredRow, Error> {
        let Self { core, open, seal, resealed } = self;
        verify(core, row)?;
        let before = open.fields();
        let mut moving = Moving { open };
        let contents = moving.contents((core, core), seal, &row.schema.data().fields, &row.contents)?;
        let row = renewed(core, DeclaredRow { contents, ..row.clone() })?;
        *resealed = resealed.saturating_add(open.fields().saturating_sub(before));
        Ok(row)
    }

    /// Seals the cells of a row that are plaintext, as [`backfill_declared`](Self::backfill_declared) does: a cell for each of
    /// [`RecordSchema::fields`], and one for each of [`RecordSchema::bound`], in their order.
    ///
    /// A row with a record tag has it verified first. A row without one gets its first tag, if none of its cells is a token already. If
    /// one is, the tag may have been taken away: that is `tag-missing`, and [`tag_row`](Self::tag_row) is for rows that never had one.
    ///
    /// # Errors
    ///
    /// Those of [`backfill_declared`](Self::backfill_declared), [`DeclaredRow::new`] and [`DeclaredRow::verify`]. `invalid-input` for a record
    /// type with lists, maps or parts.
    pub fn backfill_row(
        &mut self,
        schema: &RecordSchema,
        cells: &[Plain<'_>],
        bound: &[Plain<'_>],
        tag: RecordTag,
    ) -> Result<BackfilledRow, Error> {
        check_flat(schema, cells)?;
        // What each cell is now, before anything is sealed.
        let stored = cells.iter().map(|cell| stored_token(*cell)).collect::<Vec<_>>();
        let is_tagged = schema.tag().is_some();
        if is_tagged {
            let had_tokens = stored.iter().any(Option::is_some);
            if tag.key_id().is_some() {
                verify_stored(self.core, schema, &stored, bound, tag)?;
            } else if had_tokens {
                return Err(Error::from(ErrorKind::TagMissing).in_record(schema.record_type()));
            }
        }
        let backfill = |(field, cell): (&FieldSchema, &Plain<'_>)| match cell {
            Plain::Null if field.is_optional() => Ok(Backfilled::Kept),
            cell => self.backfill_declared(field, *cell),
        };
        let cells = schema.fields().iter().zip(cells).map(backfill).collect::<Result<Vec<_>, Error>>()?;
        let is_changed = cells.iter().any(|cell| matches!(cell, Backfilled::Sealed(_)));
        let renews = is_tagged && (is_changed || tag.key_id().is_none());
        let tag = renews.then(|| {
            let tokens = cells.iter().zip(stored).map(|(cell, stored)| match cell {
                Backfilled::Sealed(token) => Some(token.clone()),
                Backfilled::Kept => stored,
            });
            DeclaredRow::new(schema, tokens, bound, tag).and_then(|row| renewed(self.core, row))
        });
        Ok(BackfilledRow { cells, tag: tag.transpose()?.map(|row| row.tag) })
    }

    /// The first record tag of a row that never had one: for a record type that gets tags. Every token is opened, and no more is known of
    /// them than that each is of this record, so an old token that was put back before counts from now on.
    ///
    /// # Errors
    ///
    /// Those of opening the fields; `invalid-input` if the row has a tag, rows of the type have none, or parts were not given.
    pub fn tag_row(&mut self, row: &DeclaredRow) -> Result<RecordTag, Error> {
        const TAGGED: Reason = "the row has a record tag, or rows of its type have none";
        if row.schema.tag().is_none() || row.tag.key_id().is_some() {
            return Err(ErrorKind::InvalidInput.because(TAGGED).in_record(row.schema.record_type()));
        }
        check_opens(self.core, &mut self.open, &row.schema.data().fields, &row.contents)?;
        renewed(self.core, row.clone()).map(|row| row.tag)
    }

    /// Whether a token opens as this field of this record. No value leaves.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`](crate::RecordReader::open), except `refused-by-observer` and `type-mismatch`.
    pub fn check_declared(&mut self, field: &FieldSchema, token: &Token) -> Result<(), Error> {
        check_token(self.core, &mut self.open, field, token)
    }
}

impl RebindPass<'_> {
    /// The same row in the other record, with a new record tag.
    ///
    /// # Errors
    ///
    /// Those of [`rebind_declared`](Self::rebind_declared) and [`DeclaredRow::verify`].
    pub fn rebind_row(&mut self, row: &DeclaredRow) -> Result<DeclaredRow, Error> {
        let Self { from, to, open, seal } = self;
        let moved = verify(from, row).and_then(|()| {
            let contents = Moving { open }.contents((from, to), seal, &row.schema.data().fields, &row.contents)?;
            renewed(to, DeclaredRow { contents, ..row.clone() })
        });
        moved.inspect_err(|error| open.note_failure(error))
    }
}

/// Opens each token of a row, and seals its value again.
struct Moving<'o> {
    open: &'o mut OpenState,
}

impl Moving<'_> {
    fn contents(
        &mut self,
        (from, to): (&RecordCore, &RecordCore),
        seal: &mut SealState,
        fields: &Fields,
        contents: &Contents,
    ) -> Result<Contents, Error> {
        let mut moved = contents.clone();
        for (field, tokens) in fields.sealed.iter().zip(&mut moved.tokens) {
            match tokens {
                FieldTokens::Null => {}
                FieldTokens::One(token) => *token = self.token((from, to), seal, field, Claim::Token, token)?,
                FieldTokens::Each(tokens) => {
                    seal.claim(field.id()).map_err(|error| to.located_at(field.id(), error))?;
                    for token in tokens {
                        *token = self.token((from, to), seal, field, Claim::List, token)?;
                    }
                }
                FieldTokens::Parts(entries) => {
                    for (key, token) in entries {
                        let id = Identifier::from(key.as_str());
                        let (from, to) = parts_of((from, to), field.id().as_str(), &id)?;
                        *token = self.token((&from, &to), &mut SealState::default(), field, Claim::Token, token)?;
                    }
                }
            }
        }
        for (part, parts) in fields.parts.iter().zip(&mut moved.parts) {
            for DeclaredPart { id, contents } in parts.iter_mut().flatten() {
                let (from, to) = parts_of((from, to), part.name(), &Identifier::from(&**id))?;
                *contents = self.contents((&from, &to), &mut SealState::default(), &part.fields, contents)?;
            }
        }
        Ok(moved)
    }

    fn token(
        &mut self,
        (from, to): (&RecordCore, &RecordCore),
        seal: &mut SealState,
        field: &FieldSchema,
        claim: Claim,
        token: &Token,
    ) -> Result<Token, Error> {
        let mut out = Vec::new();
        move_declared((from, self.open), (to, seal), field, claim, TokenForm::Bytes(token.as_bytes()), &mut out)?;
        Ok(Token::from_sealed(out))
    }
}

fn parts_of(
    (from, to): (&RecordCore, &RecordCore),
    name: &str,
    id: &Identifier<'_>,
) -> Result<(RecordCore, RecordCore), Error> {
    Ok((from.with_part(name, id)?, to.with_part(name, id)?))
}

fn check_opens(core: &RecordCore, open: &mut OpenState, fields: &Fields, contents: &Contents) -> Result<(), Error> {
    for (field, tokens) in fields.sealed.iter().zip(&contents.tokens) {
        match tokens {
            FieldTokens::Null => {}
            FieldTokens::One(token) => check_token(core, open, field, token)?,
            FieldTokens::Each(tokens) => tokens.iter().try_for_each(|token| check_token(core, open, field, token))?,
            FieldTokens::Parts(entries) => {
                for (key, token) in entries {
                    let part = core.with_part(field.id().as_str(), &Identifier::from(key.as_str()))?;
                    check_token(&part, open, field, token)?;
                }
            }
        }
    }
    for (part, parts) in fields.parts.iter().zip(&contents.parts) {
        for DeclaredPart { id, contents } in parts.iter().flatten() {
            let core = core.with_part(part.name(), &Identifier::from(&**id))?;
            check_opens(&core, open, &part.fields, contents)?;
        }
    }
    Ok(())
}

fn check_token(core: &RecordCore, open: &mut OpenState, field: &FieldSchema, token: &Token) -> Result<(), Error> {
    TokenForm::Bytes(token.as_bytes())
        .with_room(|token, room| open.open_bound(field, core, token, room).map(drop))
        .map_err(|error| core.located_at(field.id(), error))
}

/// The token in a cell, in whatever form; `None` if it is something else.
fn stored_token(cell: Plain<'_>) -> Option<Token> {
    match cell {
        Plain::Null => None,
        Plain::Text(text) => text.parse().ok(),
        Plain::Bytes(bytes) => Token::try_from(bytes).ok().or_else(|| std::str::from_utf8(bytes).ok()?.parse().ok()),
    }
}

/// Verifies the tag of a row over the tokens that it has. What is plaintext was not there when the tag was made.
fn verify_stored(
    core: &RecordCore,
    schema: &RecordSchema,
    stored: &[Option<Token>],
    bound: &[Plain<'_>],
    tag: RecordTag,
) -> Result<(), Error> {
    // Null for what is plaintext yet, whether the field is optional or not.
    let contents = Contents::of_stored(&schema.data().fields, stored, bound)?;
    verify(core, &DeclaredRow { schema: schema.clone(), contents, tag })
}

fn verify(core: &RecordCore, row: &DeclaredRow) -> Result<(), Error> {
    match row.schema.tag() {
        Some(tag) => tagged::verify(core, (&row.tag, tag.cover()), |cover| cover_row(cover, row)),
        None => Ok(()),
    }
}

/// The row with a new record tag, if rows of its type have one.
fn renewed(core: &RecordCore, row: DeclaredRow) -> Result<DeclaredRow, Error> {
    let Some(tag) = row.schema.tag() else { return Ok(row) };
    let tag = tagged::renew(core, (&row.tag, tag.cover()), |cover| cover_row(cover, &row))?;
    Ok(DeclaredRow { tag, ..row })
}

fn cover_row(cover: &mut Cover, row: &DeclaredRow) -> Result<(), Error> {
    row.contents.check_whole()?;
    cover_contents(cover, &row.schema.data().fields, &row.contents)
}

/// What the derive shows of a row, from its schema.
fn cover_contents(cover: &mut Cover, fields: &Fields, contents: &Contents) -> Result<(), Error> {
    for (field, tokens) in fields.sealed.iter().zip(&contents.tokens) {
        cover.since(field.since());
        let sealed = |cover: &mut Cover, token: &Token| cover.sealed(field.id(), field.former(), token);
        match tokens {
            FieldTokens::Null => {}
            FieldTokens::One(token) => sealed(cover, token),
            FieldTokens::Each(tokens) => tokens.iter().for_each(|token| sealed(cover, token)),
            FieldTokens::Parts(entries) => {
                for (key, token) in entries {
                    cover.enter(field.id().as_str(), &Identifier::from(key.as_str()))?;
                    sealed(cover, token);
                    cover.leave();
                }
            }
        }
    }
    let bound = fields.clear.iter().filter_map(|value| value.bind).zip(&contents.bound);
    for (bound, text) in bound {
        cover.since(bound.since);
        if let Some(text) = text {
            cover.clear(bound.id, text);
        }
    }
    for (part, parts) in fields.parts.iter().zip(&contents.parts) {
        cover.since(part.since());
        for DeclaredPart { id, contents } in parts.iter().flatten() {
            cover.enter(part.name(), &Identifier::from(&**id))?;
            cover_contents(cover, &part.fields, contents)?;
            cover.leave();
        }
    }
    cover.since(1);
    Ok(())
}

/// Whether a row of cells is the whole row.
fn check_flat(schema: &RecordSchema, cells: &[Plain<'_>]) -> Result<(), Error> {
    const COUNT: Reason = "a row has one cell for each field of its schema";
    let refused = |error: Error| Err(error.in_record(schema.record_type()));
    if cells.len() != schema.fields().len() {
        return refused(ErrorKind::InvalidInput.because(COUNT));
    }
    let flat = schema.parts().is_empty() && schema.fields().iter().all(|field| field.shape() == Shape::One);
    if flat { Ok(()) } else { refused(not_flat()) }
}

#[cold]
fn not_flat() -> Error {
    const REASON: Reason =
        "the record type has lists, maps or parts, which are no single cells: seal and open them by themselves";
    ErrorKind::InvalidInput.because(REASON)
}
