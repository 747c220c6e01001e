//! A sealed field of a record type, as its declaration says.

use std::fmt;
use std::sync::Arc;

use super::content::ContentType;
use super::place::Place;
use crate::error::{Error, ErrorKind, Reason};
use crate::field::{Declaration, MAX_BLOCK, MAX_CONTENT};
use crate::id::{Class, FieldId};

/// FORMAT 4.6
const MAX_FORMER: usize = 4;

/// A sealed field of a record type: what its tokens are bound to, and what is in them.
///
/// A clone is cheap. [`SealPass::seal_declared`](crate::page::SealPass::seal_declared) and its like take one.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldSchema(Arc<FieldData>);

#[derive(PartialEq, Eq)]
pub(crate) struct FieldData {
    pub(crate) place: Place,
    pub(crate) declaration: Declaration,
    pub(crate) content: Option<ContentType>,
    pub(crate) optional: bool,
    pub(crate) seals_null: bool,
    pub(crate) shape: Shape,
    pub(crate) since: u8,
}

/// How many tokens a row has of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// One, or none if the column is null.
    One,
    /// A list of tokens in one column: [`Each`](crate::Each).
    Each,
    /// A map of tokens in one column, each bound to its key: [`Parts`](crate::Parts).
    Parts,
}

impl FieldSchema {
    pub(crate) fn new(data: FieldData) -> Result<Self, Error> {
        const BLOCK: Reason = "a field's block is 1 to 4096 bytes";
        const MAX_LEN: Reason = "a field's limit is at most 16 MiB";
        const FORMER: Reason = "a field has at most 4 former ids";
        const SINCE: Reason = "a cover number is 1 to 255";
        let Declaration { id, former, block, max_len, .. } = data.declaration;
        let refused = |reason| Err(ErrorKind::InvalidSchema.because(reason).at_field(id));
        if !(1..=MAX_BLOCK).contains(&usize::from(block)) {
            return refused(BLOCK);
        }
        if usize::try_from(max_len).unwrap_or(usize::MAX) > MAX_CONTENT {
            return refused(MAX_LEN);
        }
        if former.len() > MAX_FORMER {
            return refused(FORMER);
        }
        if data.since == 0 {
            return refused(SINCE);
        }
        Ok(Self(Arc::new(data)))
    }

    /// The name of the row's field, which is the name of the column: drivers read a column by it, unless an attribute of their own gives
    /// another name.
    #[must_use]
    pub fn member(&self) -> &str {
        self.0.place.member()
    }

    /// The nested structs that it is in, the outermost first. They share the record's context.
    pub fn nested(&self) -> impl Iterator<Item = &str> {
        self.0.place.nested()
    }

    /// The variant that it is of, if the record is an enum.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.0.place.variant()
    }

    /// The declared id, which every token is bound to.
    #[must_use]
    pub fn id(&self) -> FieldId {
        self.0.declaration.id
    }

    /// The class whose keys seal it.
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.declaration.class
    }

    /// Former pairs of id and class, at most 4. Tokens of these open.
    #[must_use]
    pub fn former(&self) -> &'static [(FieldId, Class)] {
        self.0.declaration.former
    }

    /// The bytes that a payload is padded to a multiple of: 1 to 4096.
    #[must_use]
    pub fn block(&self) -> u16 {
        self.0.declaration.block
    }

    /// The longest content in bytes, at most 16 MiB.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.0.declaration.max_len
    }

    /// What the values are. `None` if the derive could not tell: such a field is opened by its own program, and no tool seals it. A type of
    /// yours says it with [`HasContent`](crate::records::HasContent).
    #[must_use]
    pub fn content(&self) -> Option<ContentType> {
        self.0.content
    }

    /// Whether the column is null if there is no value: `seal = Option<Marker>`.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.0.optional
    }

    /// Whether the absence of a value is sealed too: `seal = Marker` for an `Option`.
    #[must_use]
    pub fn seals_null(&self) -> bool {
        self.0.seals_null
    }

    /// How many tokens a row has.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.0.shape
    }

    /// From which cover number on a record tag covers it: 1 to 255.
    #[must_use]
    pub fn since(&self) -> u8 {
        self.0.since
    }

    pub(crate) fn data(&self) -> &FieldData {
        &self.0
    }

    pub(crate) fn declaration(&self) -> &Declaration {
        &self.0.declaration
    }
}

impl fmt::Debug for FieldSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldSchema")
            .field("member", &self.member())
            .field("id", &self.id())
            .field("class", &self.class())
            .field("content", &self.content())
            .finish_non_exhaustive()
    }
}
