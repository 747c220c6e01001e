//! What a record struct says of its fields, for a schema. The derive's code calls it.

use std::fmt;

use super::has_content::Known;
use super::ids::AsSubjectId;
use super::twin::TwinOf;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind, Reason};
use crate::field::Declaration;
use crate::id::FieldId;
use crate::index::{Definition, Index};
use crate::schema::{
    Bound, ClearSchema, FieldData, FieldSchema, Fields, IndexDeclared, PartSchema, Place, RecordData, RecordSchema,
    Shape, TagSchema,
};

/// Takes down what a struct says of itself.
#[derive(Default)]
pub struct Describer {
    fields: Fields,
    subject: Option<ClearSchema>,
    tag: Option<Box<str>>,
    indexes: Vec<IndexDeclared>,
    nested: Vec<Box<str>>,
    variant: Option<Box<str>>,
    /// In how many nested structs it is that may be absent.
    optional: usize,
    is_enum: bool,
    problem: Option<Error>,
}

impl Describer {
    /// The struct says nothing of itself.
    pub(super) fn refuse(&mut self) {
        const REASON: Reason = "a record struct that the derive did not make says nothing of its fields";
        self.keep::<()>(Err(ErrorKind::InvalidSchema.because(REASON)));
    }

    /// An id, or a part of one.
    pub fn id(&mut self, member: &str, known: Known) {
        if let Some(id) = self.readable(member, known, None) {
            self.fields.ids.push(id);
        }
    }

    /// The subject.
    pub fn subject<T: AsSubjectId>(&mut self, member: &str, known: Known) {
        self.subject = self.readable(member, known, None).map(|id| ClearSchema { optional: T::IS_OPTIONAL, ..id });
    }

    /// A readable field.
    pub fn clear(&mut self, member: &str, known: Known) {
        if let Some(value) = self.readable(member, known, None) {
            self.fields.clear.push(value);
        }
    }

    /// A readable field that the record tag covers.
    pub fn bound(&mut self, member: &str, known: Known, id: FieldId, scale: Option<u8>, since: u8) {
        if let Some(value) = self.readable(member, known, Some(Bound { id, scale, since })) {
            self.fields.clear.push(value);
        }
    }

    /// The record tag.
    pub fn record_tag(&mut self, member: &str) {
        self.tag = Some(member.into());
    }

    /// A sealed field.
    pub fn sealed<T, M: TwinOf<T>>(&mut self, member: &str, known: Known, since: u8) {
        self.add_sealed(member, known, since, Declaration::of::<M::Field>(), (M::IS_OPTIONAL, M::SHAPE));
    }

    fn add_sealed(
        &mut self,
        member: &str,
        known: Known,
        since: u8,
        declaration: &Declaration,
        (optional, shape): (bool, Shape),
    ) {
        let place = self.place(member);
        let field = place.and_then(|place| {
            FieldSchema::new(FieldData {
                place,
                declaration: *declaration,
                content: known.content,
                optional: optional || self.optional > 0,
                seals_null: known.seals_null,
                shape,
                since,
            })
        });
        if let Some(field) = self.keep(field) {
            self.fields.sealed.push(field);
        }
    }

    /// The parts of this name.
    pub fn part(&mut self, member: &str, name: &str, since: u8, describe: impl FnOnce(&mut Self)) {
        let mut inside = Self::default();
        describe(&mut inside);
        if let Some(problem) = inside.problem {
            self.keep::<()>(Err(problem));
            return;
        }
        self.is_enum |= inside.is_enum;
        self.fields.parts.push(PartSchema { member: member.into(), name: name.into(), since, fields: inside.fields });
    }

    /// A nested struct.
    pub fn nested(&mut self, member: &str, describe: impl FnOnce(&mut Self)) {
        self.nested.push(member.into());
        describe(self);
        self.nested.pop();
    }

    /// A nested struct that may be absent.
    pub(super) fn optional(&mut self, describe: impl FnOnce(&mut Self)) {
        self.optional = self.optional.saturating_add(1);
        describe(self);
        self.optional = self.optional.saturating_sub(1);
    }

    /// The next fields are of this variant, which the record tag covers under `bind`.
    pub fn variant(&mut self, name: &str, bind: Option<FieldId>) {
        self.is_enum = true;
        self.variant = Some(name.into());
        if let Some(id) = bind {
            self.bound(name, Known::default(), id, None, 1);
        }
    }

    /// The variants end.
    pub fn end_variants(&mut self) {
        self.variant = None;
    }

    /// The column of an index.
    pub fn index<I: Index>(&mut self, member: &str) {
        let digest = |definition: &Definition| definition.digest(Backend::default());
        self.indexes.push(IndexDeclared {
            member: member.into(),
            id: I::DEFINITION.id().into(),
            kind: I::DEFINITION.kind().as_str().into(),
            bits: I::DEFINITION.bits(),
            definition: digest(&I::DEFINITION),
            former: I::FORMER.iter().map(digest).collect(),
        });
    }

    fn readable(&mut self, member: &str, known: Known, bind: Option<Bound>) -> Option<ClearSchema> {
        let place = self.place(member);
        let optional = known.seals_null || self.optional > 0;
        self.keep(place).map(|place| ClearSchema { place, content: known.content, optional, bind })
    }

    fn place(&self, member: &str) -> Result<Place, Error> {
        Place::new(member, self.nested.clone(), self.variant.clone())
    }

    fn keep<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.problem.get_or_insert(error)).ok()
    }

    /// The record type whose fields were taken down.
    pub(super) fn into_record(self, record_type: &str, former: &[&str], cover: u8) -> Result<RecordSchema, Error> {
        if let Some(problem) = self.problem {
            return Err(problem.in_record(record_type));
        }
        RecordSchema::new(RecordData {
            record_type: record_type.into(),
            former: former.iter().copied().map(Box::from).collect(),
            is_enum: self.is_enum,
            subject: self.subject,
            tag: self.tag.map(|member| TagSchema { member, cover }),
            fields: self.fields,
            indexes: self.indexes,
        })
    }
}

impl fmt::Debug for Describer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Describer").finish_non_exhaustive()
    }
}
