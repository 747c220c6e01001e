//! Whole rows of a declared record type. The record tag is verified before a token is opened or changed, and made anew after.

use super::core::RecordCore;
use super::declared::sealed_form;
use super::open::OpenState;
use super::reader::{OpenPass, TokenForm};
use super::rebind::RebindPass;
use super::reseal::{ResealPass, move_token};
use super::seal::{Claim, Nonces, SealPass, SealState};
use super::{Backfilled, Record, Role, tagged};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::Identifier;
use crate::record_tag::{Cover, RecordTag};
use crate::schema::{
    Contents, DeclaredPart, DeclaredRow, FieldSchema, FieldTokens, Fields, Opened, Plain, RecordSchema, Shape,
    TagSchema,
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
        let row = Moving::begin(open, row).row((core, None), seal, row)?;
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
        let tag_schema = schema.tag();
        let stored: Vec<_> = match tag_schema {
            Some(_) => cells.iter().map(|cell| stored_token(*cell)).collect(),
            None => Vec::new(),
        };
        if tag_schema.is_some() && tag.key_id().is_some() {
            verify_stored(self.core, schema, &stored, bound, tag)?;
        } else if stored.iter().any(Option::is_some) {
            return Err(Error::from(ErrorKind::TagMissing).in_record(schema.record_type()));
        }
        let backfill = |(field, cell): (&FieldSchema, &Plain<'_>)| match cell {
            Plain::Null if field.is_optional() => Ok(Backfilled::Kept),
            cell => self.backfill_declared(field, *cell),
        };
        let cells = schema.fields().iter().zip(cells).map(backfill).collect::<Result<Vec<_>, Error>>()?;
        let is_changed = cells.iter().any(|cell| matches!(cell, Backfilled::Sealed(_)));
        let renewed = tag_schema.filter(|_| is_changed || tag.key_id().is_none()).map(|tag_schema| {
            let tokens = cells.iter().zip(stored).map(|(cell, stored)| match cell {
                Backfilled::Sealed(token) => Some(token.clone()),
                Backfilled::Kept => stored,
            });
            next_tag(self.core, tag_schema, &DeclaredRow::new(schema, tokens, bound, tag)?)
        });
        Ok(BackfilledRow { cells, tag: renewed.transpose()? })
    }

    /// The first record tag of a row that never had one: for a record type that gets tags. Every token is opened, and no more is known of
    /// them than that each is of this record, so an old token that was put back before counts from now on.
    ///
    /// # Errors
    ///
    /// Those of opening the fields; `invalid-input` if the row has a tag, rows of the type have none, or parts were not given.
    pub fn tag_row(&mut self, row: &DeclaredRow) -> Result<RecordTag, Error> {
        const TAGGED: Reason = "the row has a record tag, or rows of its type have none";
        let Some(tag_schema) = row.schema.tag().filter(|_| row.tag.key_id().is_none()) else {
            return Err(ErrorKind::InvalidInput.because(TAGGED).in_record(row.schema.record_type()));
        };
        check_opens(self.core, &mut self.open, &row.schema.data().fields, &row.contents)?;
        next_tag(self.core, tag_schema, row)
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
        let moved = verify(from, row).and_then(|()| Moving::begin(open, row).row((from, Some(to)), seal, row));
        moved.inspect_err(|error| open.note_failure(error))
    }
}

/// A context in which tokens were sealed, and the one in which their values are sealed again. `None` is the same one.
type FromTo<'c> = (&'c RecordCore, Option<&'c RecordCore>);

/// Opens each token of a row, and seals its value again.
struct Moving<'o> {
    open: &'o mut OpenState,
    of_parts: Nonces,
}

impl<'o> Moving<'o> {
    fn begin(open: &'o mut OpenState, row: &DeclaredRow) -> Self {
        Self { open, of_parts: Nonces::for_contexts(row.contents.parts_in_all()) }
    }

    /// The row with a new record tag.
    fn row(&mut self, at: FromTo<'_>, seal: &mut SealState, row: &DeclaredRow) -> Result<DeclaredRow, Error> {
        let contents = self.contents(at, seal, &row.schema.data().fields, &row.contents)?;
        let (from, to) = at;
        renewed(to.unwrap_or(from), DeclaredRow { schema: row.schema.clone(), contents, tag: row.tag })
    }

    fn contents(
        &mut self,
        at: FromTo<'_>,
        seal: &mut SealState,
        fields: &Fields,
        contents: &Contents,
    ) -> Result<Contents, Error> {
        let tokens = fields.sealed.iter().zip(&contents.tokens);
        let tokens = tokens.map(|(field, tokens)| self.tokens(at, seal, field, tokens)).collect::<Result<_, _>>()?;
        let mut part = |name: &str, fields: &Fields, part: &DeclaredPart| {
            let contents =
                self.in_part(at, name, &part.id, |moving, at, seal| moving.contents(at, seal, fields, &part.contents));
            Ok(DeclaredPart { id: part.id.clone(), contents: contents? })
        };
        let parts = fields.parts.iter().zip(&contents.parts).map(|(of, parts)| {
            let moved =
                parts.as_ref().map(|parts| parts.iter().map(|each| part(of.name(), &of.fields, each)).collect());
            moved.transpose()
        });
        Ok(Contents { tokens, bound: contents.bound.clone(), parts: parts.collect::<Result<_, Error>>()? })
    }

    fn tokens(
        &mut self,
        at: FromTo<'_>,
        seal: &mut SealState,
        field: &FieldSchema,
        tokens: &FieldTokens,
    ) -> Result<FieldTokens, Error> {
        Ok(match tokens {
            FieldTokens::Null => FieldTokens::Null,
            FieldTokens::One(token) => FieldTokens::One(self.token(at, seal, field, Claim::Token, token)?),
            FieldTokens::Each(tokens) => {
                let (from, to) = at;
                seal.claim(field.id()).map_err(|error| to.unwrap_or(from).located(field.id(), error))?;
                let moved = tokens.iter().map(|token| self.token(at, seal, field, Claim::List, token));
                FieldTokens::Each(moved.collect::<Result<_, _>>()?)
            }
            FieldTokens::Parts(entries) => {
                let moved = entries.iter().map(|(key, token)| {
                    let token = self.in_part(at, field.id().as_str(), key, |moving, at, seal| {
                        moving.token(at, seal, field, Claim::Token, token)
                    });
                    Ok((key.clone(), token?))
                });
                FieldTokens::Parts(moved.collect::<Result<_, Error>>()?)
            }
        })
    }

    fn in_part<T>(
        &mut self,
        (from, to): FromTo<'_>,
        name: &str,
        id: &str,
        work: impl FnOnce(&mut Self, FromTo<'_>, &mut SealState) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let id = Identifier::from(id);
        let from = from.with_part(name, &id)?;
        let to = to.map(|to| to.with_part(name, &id)).transpose()?;
        let mut seal = self.of_parts.state(to.as_ref().unwrap_or(&from))?;
        work(self, (&from, to.as_ref()), &mut seal)
    }

    fn token(
        &mut self,
        (from, to): FromTo<'_>,
        seal: &mut SealState,
        field: &FieldSchema,
        claim: Claim,
        token: &Token,
    ) -> Result<Token, Error> {
        let mut out = Vec::new();
        let (to, form) = ((to.unwrap_or(from), seal), TokenForm::Bytes(token.as_bytes()));
        move_token(field.declaration(), (from, self.open), to, claim, form, &mut out)?;
        Ok(Token::from_sealed(out))
    }
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
        .with_room(|token, room| open.open(field.declaration(), core, token, room).map(drop))
        .map_err(|error| core.located(field.id(), error))
}

/// The token in a cell, in whatever form; `None` if it is something else.
fn stored_token(cell: Plain<'_>) -> Option<Token> {
    match sealed_form(cell)? {
        TokenForm::Text(text) => text.parse().ok(),
        TokenForm::Bytes(bytes) => Token::try_from(bytes).ok(),
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
    let Some(tag_schema) = row.schema.tag() else { return Ok(row) };
    let tag = next_tag(core, tag_schema, &row)?;
    Ok(DeclaredRow { tag, ..row })
}

fn next_tag(core: &RecordCore, schema: &TagSchema, row: &DeclaredRow) -> Result<RecordTag, Error> {
    tagged::renew(core, (&row.tag, schema.cover()), |cover| cover_row(cover, row))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::hooks::draws_in;
    use crate::schema::Schema;
    use crate::testing::insecure_keyring;

    #[test]
    fn one_draw_for_all_parts_of_a_row() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let field = r#"[{"member":"drug","id":"rx.drug","class":"medication","block":32,"max":64,"content":"text"}]"#;
        let schema = Schema::parse(&format!(
            r#"{{"rxseal_schema":1,"records":[{{"record":"rx","ids":[],"fields":{field},"parts":[
                {{"member":"lines","part":"line","ids":[],"fields":{field}}}]}}]}}"#
        ))
        .unwrap();
        let schema = &schema.records()[0];
        let [line] = schema.parts() else { panic!() };
        let seal = |record: &Record, field: &FieldSchema| {
            record.seal_fields(|pass| pass.seal_declared(field, Plain::Text("heparin"))).unwrap()
        };
        let record = keys.record("rx", 1).unwrap();
        let part = |id: u32| {
            let token = seal(&record.part("line", id).unwrap(), &line.fields()[0]);
            DeclaredPart::new(line, id, [token], &[]).unwrap()
        };
        let token = seal(&record, &schema.fields()[0]);
        for (parts, draws) in [(0, 1), (1, 2), (2, 2), (256, 2), (257, 3)] {
            let row = DeclaredRow::new(schema, [token.clone()], &[], RecordTag::new()).unwrap();
            let row = row.with_parts(line, (0..parts).map(part).collect()).unwrap();
            let (moved, drawn) = draws_in(|| record.reseal_fields(|pass| pass.reseal_row(&row)));
            assert_eq!((moved.unwrap().parts(line).len(), drawn), (usize::try_from(parts).unwrap(), draws));
        }
    }
}
