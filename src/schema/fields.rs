//! What one context has: a record, or a part of one.

use super::clear::ClearSchema;
use super::field::FieldSchema;
use crate::error::{Error, ErrorKind, Reason};

/// FORMAT 4.1
const MAX_DEPTH: usize = 8;
/// Far more than a table has columns.
const MAX_MEMBERS: usize = 4096;

/// The fields of one context, with those of nested structs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) ids: Vec<ClearSchema>,
    pub(crate) sealed: Vec<FieldSchema>,
    pub(crate) clear: Vec<ClearSchema>,
    pub(crate) parts: Vec<PartSchema>,
}

/// A part of a record, such as a line of a prescription, with an id and a context of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSchema {
    pub(crate) member: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) since: u8,
    pub(crate) fields: Fields,
}

impl PartSchema {
    /// The name of the field that has the parts.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The name of the part, for [`Record::part`](crate::Record::part).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From which cover number on the record tag covers the parts: 1 to 255.
    #[must_use]
    pub fn since(&self) -> u8 {
        self.since
    }

    /// The columns of its id, which are joined with `/` if there are several.
    #[must_use]
    pub fn ids(&self) -> &[ClearSchema] {
        &self.fields.ids
    }

    /// Its sealed fields.
    #[must_use]
    pub fn fields(&self) -> &[FieldSchema] {
        &self.fields.sealed
    }

    /// Its readable fields.
    #[must_use]
    pub fn clear(&self) -> &[ClearSchema] {
        &self.fields.clear
    }

    /// The parts of a part.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        &self.fields.parts
    }
}

impl Fields {
    /// Whether a token could be taken for one of another field: ids belong to one field of a context (FORMAT 4.5).
    pub(crate) fn check(&self, depth: usize) -> Result<(), Error> {
        const TOO_MANY: Reason = "a record type has more than 4096 fields";
        const TOO_DEEP: Reason = "parts nest more than 8 deep";
        const TWICE: Reason = "two fields of one context have one id or one former id";
        const BOUND_TWICE: Reason = "two fields of one context are bound under one id";
        const PART_TWICE: Reason = "two parts of one context have one name";
        let refused = |reason| Err(ErrorKind::InvalidSchema.because(reason));
        if depth > MAX_DEPTH {
            return refused(TOO_DEEP);
        }
        let members = [self.ids.len(), self.sealed.len(), self.clear.len(), self.parts.len()];
        if members.into_iter().sum::<usize>() > MAX_MEMBERS {
            return refused(TOO_MANY);
        }
        // Two variants of an enum are never in one row.
        let apart = |a: Option<&str>, b: Option<&str>| a.is_some() && b.is_some() && a != b;
        for (at, field) in self.sealed.iter().enumerate() {
            let ids = |field: &FieldSchema| -> Vec<_> {
                std::iter::once(field.id()).chain(field.former().iter().map(|(id, _)| *id)).collect()
            };
            let own = ids(field);
            let others = self.sealed.iter().take(at).filter(|other| !apart(field.variant(), other.variant()));
            if others.flat_map(ids).any(|id| own.contains(&id)) {
                return Err(ErrorKind::InvalidSchema.because(TWICE).at_field(field.id()));
            }
        }
        for (at, value) in self.clear.iter().enumerate().filter(|(_, value)| value.bind.is_some()) {
            let mut others = self.clear.iter().take(at).filter(|other| !apart(value.variant(), other.variant()));
            if others.any(|other| other.bound_as() == value.bound_as()) {
                return refused(BOUND_TWICE);
            }
        }
        for (at, part) in self.parts.iter().enumerate() {
            if self.parts.iter().take(at).any(|other| other.name == part.name) {
                return refused(PART_TWICE);
            }
            part.fields.check(depth.saturating_add(1))?;
        }
        Ok(())
    }
}
