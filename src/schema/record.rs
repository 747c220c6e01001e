//! A record type, as its struct says.

use std::fmt;
use std::sync::Arc;

use super::clear::ClearSchema;
use super::field::FieldSchema;
use super::fields::{Fields, PartSchema};
use super::index::IndexDeclared;
use crate::error::{Error, ErrorKind, Reason};
use crate::id::{FieldId, Name};

/// FORMAT 4.8
const MAX_FORMER: usize = 4;

/// A record type of a program: what a tool needs to know of a record struct, without the struct.
///
/// A clone is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordSchema(Arc<RecordData>);

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordData {
    pub(crate) record_type: Box<str>,
    pub(crate) former: Vec<Box<str>>,
    pub(crate) is_enum: bool,
    pub(crate) subject: Option<ClearSchema>,
    pub(crate) tag: Option<TagSchema>,
    pub(crate) fields: Fields,
    pub(crate) indexes: Vec<IndexDeclared>,
}

/// The record tag of a record type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSchema {
    pub(crate) member: Box<str>,
    pub(crate) cover: u8,
}

impl TagSchema {
    /// The name of the row's field, which is the name of the column.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The cover number of a tag that is made now: the highest `since` of what it covers, or 1.
    #[must_use]
    pub fn cover(&self) -> u8 {
        self.cover
    }
}

impl RecordSchema {
    pub(crate) fn new(data: RecordData) -> Result<Self, Error> {
        const FORMER: Reason = "a record type has at most 4 former ones, each of them once";
        const INDEX: Reason = "an index has two columns, or two indexes have one";
        Name::check("record type", &data.record_type)?;
        data.former.iter().try_for_each(|former| Name::check("former record type", former))?;
        let refused = |reason| Err(ErrorKind::InvalidSchema.because(reason).in_record(&data.record_type));
        let types: Vec<_> = std::iter::once(&data.record_type).chain(&data.former).collect();
        let twice = types.iter().enumerate().any(|(at, name)| types.iter().take(at).any(|other| other == name));
        if twice || data.former.len() > MAX_FORMER {
            return refused(FORMER);
        }
        let taken = |(at, index): (usize, &IndexDeclared)| {
            data.indexes.iter().take(at).any(|other| other.id == index.id || other.member == index.member)
        };
        if data.indexes.iter().enumerate().any(taken) {
            return refused(INDEX);
        }
        data.fields.check(0).map_err(|error| error.in_record(&data.record_type))?;
        Ok(Self(Arc::new(data)))
    }

    /// The record type: a declared, stable name.
    #[must_use]
    pub fn record_type(&self) -> &str {
        &self.0.record_type
    }

    /// Up to 4 former record types. What was sealed under one opens.
    pub fn former_types(&self) -> impl Iterator<Item = &str> {
        self.0.former.iter().map(AsRef::as_ref)
    }

    /// Whether rows have one of several shapes, since the record is an enum. A tool works on single fields of them, and not on whole rows.
    #[must_use]
    pub fn is_enum(&self) -> bool {
        self.0.is_enum
    }

    /// The columns of the record id, which are joined with `/` if there are several.
    #[must_use]
    pub fn ids(&self) -> &[ClearSchema] {
        &self.0.fields.ids
    }

    /// The column of the subject's id, if records of this type have a subject. If it [is optional](ClearSchema::is_optional), a row with
    /// null there has no subject, and needs no key of one.
    #[must_use]
    pub fn subject(&self) -> Option<&ClearSchema> {
        self.0.subject.as_ref()
    }

    /// The record tag, if rows have one.
    #[must_use]
    pub fn tag(&self) -> Option<&TagSchema> {
        self.0.tag.as_ref()
    }

    /// The sealed fields of the record's own context, in the order of the struct: its own, and those of nested structs.
    #[must_use]
    pub fn fields(&self) -> &[FieldSchema] {
        &self.0.fields.sealed
    }

    /// The field with this id. In an enum, it is that of the first variant which has one.
    #[must_use]
    pub fn field(&self, id: &str) -> Option<&FieldSchema> {
        self.fields().iter().find(|field| field.id().as_str() == id)
    }

    /// The readable fields of the record's own context, in the order of the struct, without ids and subjects that do not say `clear`.
    #[must_use]
    pub fn clear(&self) -> &[ClearSchema] {
        &self.0.fields.clear
    }

    /// The readable fields that the record tag covers, in the order of the struct.
    pub fn bound(&self) -> impl Iterator<Item = &ClearSchema> {
        self.clear().iter().filter(|value| value.bound_as().is_some())
    }

    /// The parts of a record.
    #[must_use]
    pub fn parts(&self) -> &[PartSchema] {
        &self.0.fields.parts
    }

    /// The indexes, in the order of their columns.
    #[must_use]
    pub fn indexes(&self) -> &[IndexDeclared] {
        &self.0.indexes
    }

    /// All field ids, those of parts included.
    pub fn field_ids(&self) -> impl Iterator<Item = FieldId> {
        fn all(fields: &Fields) -> Vec<FieldId> {
            let own = fields.sealed.iter().map(FieldSchema::id);
            own.chain(fields.parts.iter().flat_map(|part| all(&part.fields))).collect()
        }
        all(&self.0.fields).into_iter()
    }

    pub(crate) fn data(&self) -> &RecordData {
        &self.0
    }
}

impl fmt::Debug for RecordSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSchema")
            .field("record_type", &self.record_type())
            .field("fields", &self.fields())
            .finish_non_exhaustive()
    }
}
