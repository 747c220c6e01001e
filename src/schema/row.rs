//! A row of tokens of a declared record type, as a whole.

use std::fmt;

use super::cell::Plain;
use super::clear::ClearSchema;
use super::clear_text::clear_text;
use super::field::{FieldSchema, Shape};
use super::fields::{Fields, PartSchema};
use super::record::RecordSchema;
use crate::error::{Error, ErrorKind, Reason};
use crate::id::Identifier;
use crate::record_tag::RecordTag;
use crate::token::Token;

/// The tokens that a row has of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldTokens {
    /// None: the column is null.
    Null,
    /// One.
    One(Token),
    /// Those of a list, in its order.
    Each(Vec<Token>),
    /// Those of a map, each with its key.
    Parts(Vec<(String, Token)>),
}

impl From<Option<Token>> for FieldTokens {
    fn from(token: Option<Token>) -> Self {
        token.map_or(Self::Null, Self::One)
    }
}

impl From<Token> for FieldTokens {
    fn from(token: Token) -> Self {
        Self::One(token)
    }
}

impl FieldTokens {
    /// The token of a field that has one.
    #[must_use]
    pub fn one(&self) -> Option<&Token> {
        match self {
            Self::One(token) => Some(token),
            _ => None,
        }
    }
}

/// A row of a declared record type: all its tokens, what its record tag covers beside them, and the tag.
///
/// Calls that take one verify the tag before they open or change a token, and what they return has a new one, as those for record structs
/// do.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclaredRow {
    pub(crate) schema: RecordSchema,
    pub(crate) contents: Contents,
    pub(crate) tag: RecordTag,
}

/// A part of a [`DeclaredRow`], such as a line of a prescription.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclaredPart {
    pub(crate) id: Box<str>,
    pub(crate) contents: Contents,
}

/// What one context of a row has, in the order of its schema.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) tokens: Vec<FieldTokens>,
    /// Canonical texts of bound values.
    pub(crate) bound: Vec<Option<Box<str>>>,
    /// The parts of each name; `None` if nobody said what there is.
    pub(crate) parts: Vec<Option<Vec<DeclaredPart>>>,
}

impl DeclaredRow {
    /// A row: the tokens of each of [`RecordSchema::fields`], and a cell for each of [`RecordSchema::bound`], in their order. `tag` is that of
    /// the row, or [`RecordTag::new`] if it has none.
    ///
    /// # Errors
    ///
    /// `invalid-input` if one is missing or has another shape than its field, or the record is an enum, whose rows have several shapes;
    /// `clear-refused` if a bound cell has no canonical text.
    pub fn new<T: Into<FieldTokens>>(
        schema: &RecordSchema,
        tokens: impl IntoIterator<Item = T>,
        bound: &[Plain<'_>],
        tag: RecordTag,
    ) -> Result<Self, Error> {
        const ENUM: Reason =
            "the record is an enum, whose rows have several shapes: only its own program works on whole rows";
        let make = || {
            if schema.is_enum() {
                return Err(ErrorKind::InvalidInput.because(ENUM));
            }
            let contents = Contents::new(&schema.data().fields, tokens, bound)?;
            Ok(Self { schema: schema.clone(), contents, tag })
        };
        make().map_err(|error: Error| error.in_record(schema.record_type()))
    }

    /// The same with its parts of one name, of which there may be none. A row of a record type with parts needs this for each name.
    ///
    /// # Errors
    ///
    /// `invalid-input` if the record type has no such parts.
    pub fn with_parts(mut self, part: &PartSchema, parts: Vec<DeclaredPart>) -> Result<Self, Error> {
        self.contents.set_parts(&self.schema.data().fields, part, parts)?;
        Ok(self)
    }

    /// The record type.
    #[must_use]
    pub fn schema(&self) -> &RecordSchema {
        &self.schema
    }

    /// The tokens of each field, in the order of [`RecordSchema::fields`].
    #[must_use]
    pub fn tokens(&self) -> &[FieldTokens] {
        &self.contents.tokens
    }

    /// The parts of a name.
    #[must_use]
    pub fn parts(&self, part: &PartSchema) -> &[DeclaredPart] {
        self.contents.parts_of(&self.schema.data().fields, part)
    }

    /// The record tag; that of [`RecordTag::new`] if the row has no tag.
    #[must_use]
    pub fn tag(&self) -> RecordTag {
        self.tag
    }
}

impl DeclaredPart {
    /// A part with this id: the tokens of each of [`PartSchema::fields`], and a cell for each readable field of it that is bound, in their
    /// order.
    ///
    /// # Errors
    ///
    /// Those of [`DeclaredRow::new`]; `invalid-id`.
    pub fn new<'i, T: Into<FieldTokens>>(
        part: &PartSchema,
        id: impl Into<Identifier<'i>>,
        tokens: impl IntoIterator<Item = T>,
        bound: &[Plain<'_>],
    ) -> Result<Self, Error> {
        let id = id.into().parse("part id")?.into();
        Ok(Self { id, contents: Contents::new(&part.fields, tokens, bound)? })
    }

    /// The same with parts of its own.
    ///
    /// # Errors
    ///
    /// `invalid-input` if it has no such parts.
    pub fn with_parts(mut self, of: &PartSchema, part: &PartSchema, parts: Vec<Self>) -> Result<Self, Error> {
        self.contents.set_parts(&of.fields, part, parts)?;
        Ok(self)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The tokens of each field, in the order of [`PartSchema::fields`].
    #[must_use]
    pub fn tokens(&self) -> &[FieldTokens] {
        &self.contents.tokens
    }
}

impl Contents {
    fn new<T: Into<FieldTokens>>(
        fields: &Fields,
        tokens: impl IntoIterator<Item = T>,
        bound: &[Plain<'_>],
    ) -> Result<Self, Error> {
        let tokens: Vec<FieldTokens> = tokens.into_iter().map(Into::into).collect();
        if tokens.len() != fields.sealed.len() {
            return Err(ErrorKind::InvalidInput.because(COUNT));
        }
        fields.sealed.iter().zip(&tokens).try_for_each(|(field, tokens)| check_shape(field, tokens))?;
        Ok(Self { tokens, bound: texts(fields, bound)?, parts: vec![None; fields.parts.len()] })
    }

    /// The tokens of a row of which some cells are plaintext yet, so that a field that is not optional may have none.
    pub(crate) fn of_stored(fields: &Fields, stored: &[Option<Token>], bound: &[Plain<'_>]) -> Result<Self, Error> {
        let tokens = stored.iter().cloned().map(FieldTokens::from).collect();
        Ok(Self { tokens, bound: texts(fields, bound)?, parts: vec![None; fields.parts.len()] })
    }

    fn set_parts(&mut self, fields: &Fields, part: &PartSchema, parts: Vec<DeclaredPart>) -> Result<(), Error> {
        const UNKNOWN: Reason = "the record type has no parts of this name";
        let at = fields.parts.iter().position(|known| known == part);
        match at.and_then(|at| self.parts.get_mut(at)) {
            Some(slot) => {
                *slot = Some(parts);
                Ok(())
            }
            None => Err(ErrorKind::InvalidInput.because(UNKNOWN)),
        }
    }

    fn parts_of(&self, fields: &Fields, part: &PartSchema) -> &[DeclaredPart] {
        let at = fields.parts.iter().position(|known| known == part);
        at.and_then(|at| self.parts.get(at)).and_then(Option::as_deref).unwrap_or_default()
    }

    /// The number of parts, with those in parts and the entries of maps: each is a context of its own.
    pub(crate) fn parts_in_all(&self) -> usize {
        let entries = self.tokens.iter().map(|tokens| match tokens {
            FieldTokens::Parts(entries) => entries.len(),
            _ => 0,
        });
        let parts = self.parts.iter().flatten().flatten().map(|part| part.contents.parts_in_all().saturating_add(1));
        entries.chain(parts).fold(0, usize::saturating_add)
    }

    /// Whether everything was said that a record tag covers.
    pub(crate) fn check_whole(&self) -> Result<(), Error> {
        const PARTS: Reason =
            "a row of a record type with parts needs those of each name: see `DeclaredRow::with_parts`";
        for parts in &self.parts {
            let parts = parts.as_ref().ok_or_else(|| ErrorKind::InvalidInput.because(PARTS))?;
            parts.iter().try_for_each(|part| part.contents.check_whole())?;
        }
        Ok(())
    }
}

const COUNT: Reason = "a row has one entry for each field of its schema, and one for each bound value";

/// The canonical texts of bound cells.
fn texts(fields: &Fields, bound: &[Plain<'_>]) -> Result<Vec<Option<Box<str>>>, Error> {
    let values: Vec<_> = fields.clear.iter().filter(|value| value.bind.is_some()).collect();
    if bound.len() != values.len() {
        return Err(ErrorKind::InvalidInput.because(COUNT));
    }
    let text = |(value, cell): (&ClearSchema, &Plain<'_>)| {
        clear_text(value, *cell).map_err(|error| match value.bound_as() {
            Some(id) => error.at_field(id),
            None => error,
        })
    };
    values.into_iter().zip(bound).map(text).collect()
}

fn check_shape(field: &FieldSchema, tokens: &FieldTokens) -> Result<(), Error> {
    const NULL: Reason = "a field that is not optional has no token";
    const SHAPE: Reason = "the tokens of a field have another shape than it";
    let fits = match tokens {
        FieldTokens::Null if !field.is_optional() => {
            return Err(ErrorKind::InvalidInput.because(NULL).at_field(field.id()));
        }
        FieldTokens::Null => true,
        FieldTokens::One(_) => field.shape() == Shape::One,
        FieldTokens::Each(_) => field.shape() == Shape::Each,
        FieldTokens::Parts(_) => field.shape() == Shape::Parts,
    };
    if fits { Ok(()) } else { Err(ErrorKind::InvalidInput.because(SHAPE).at_field(field.id())) }
}

impl fmt::Debug for DeclaredRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredRow")
            .field("record_type", &self.schema.record_type())
            .field("tokens", &self.contents.tokens.len())
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeclaredPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its id may identify a patient.
        f.debug_struct("DeclaredPart").field("tokens", &self.contents.tokens.len()).finish_non_exhaustive()
    }
}
