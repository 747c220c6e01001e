//! A readable field of a record type.

use super::content::ContentType;
use super::place::Place;
use crate::id::FieldId;

/// A readable field of a record type: an id, a subject, or one that says `clear`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearSchema {
    pub(crate) place: Place,
    pub(crate) content: Option<ContentType>,
    pub(crate) optional: bool,
    pub(crate) bind: Option<Bound>,
}

/// What a record tag covers of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) id: FieldId,
    pub(crate) scale: Option<u8>,
    pub(crate) since: u8,
}

impl ClearSchema {
    /// The name of the row's field, which is the name of the column.
    #[must_use]
    pub fn member(&self) -> &str {
        self.place.member()
    }

    /// The nested structs that it is in, the outermost first.
    pub fn nested(&self) -> impl Iterator<Item = &str> {
        self.place.nested()
    }

    /// The variant that it is of, if the record is an enum.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.place.variant()
    }

    /// What the column holds, if its type says it. Without it, a tool makes no record tag of a row that binds it.
    #[must_use]
    pub fn content(&self) -> Option<ContentType> {
        self.content
    }

    /// Whether the column may be null. If [`content`](Self::content) is unknown, so is this, and the answer is `false`.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The id under which the record tag covers it, if it says `bind`.
    #[must_use]
    pub fn bound_as(&self) -> Option<FieldId> {
        self.bind.map(|bound| bound.id)
    }

    /// The digits of fraction of a bound decimal, if it says `scale`.
    #[must_use]
    pub fn scale(&self) -> Option<u8> {
        self.bind.and_then(|bound| bound.scale)
    }

    /// From which cover number on the record tag covers it: 1 to 255.
    #[must_use]
    pub fn since(&self) -> u8 {
        self.bind.map_or(1, |bound| bound.since)
    }
}
