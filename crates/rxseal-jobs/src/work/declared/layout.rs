//! Which cell of a row is what.

use rxseal::schema::{ClearSchema, ContentType, FieldSchema, Plain, RecordSchema, Shape, TextFormat};
use rxseal::{Error, Identifier};

use super::super::token_cell::plain;
use crate::fault::{FieldFault, Reason};
use crate::row::{Cell, Row};
use crate::spec::{ColumnRole, Spec};
use crate::trouble::refused;

pub(super) struct Layout {
    ids: Vec<usize>,
    pub(super) subject: Option<usize>,
    /// The sealed columns with their fields.
    pub(super) fields: Vec<(usize, FieldSchema)>,
    pub(super) has_index: bool,
    /// The column of the record tag.
    pub(super) tag: Option<usize>,
    /// What the tag covers beside the fields, in the order of the schema.
    pub(super) bound: Vec<usize>,
}

impl Layout {
    pub(super) fn of(spec: &Spec, record: &RecordSchema) -> Result<Self, Error> {
        let field = |(at, column): (usize, &crate::spec::Column)| {
            let field = record.field(column.of()).ok_or_else(|| refused("the schema is not that of the spec"))?;
            let needs_type = field.content().is_none() || field.shape() != Shape::One;
            if needs_type {
                let text = format!(
                    "the schema does not know how the values of {} are sealed: run the job in the program, with `rxseal_jobs::TypedWork`",
                    field.id().as_str()
                );
                return Err(refused(text));
            }
            Ok((at, field.clone()))
        };
        Ok(Self {
            ids: spec.places(ColumnRole::Id).map(|(at, _)| at).collect(),
            subject: spec.places(ColumnRole::Subject).map(|(at, _)| at).next(),
            fields: in_order(record, spec.places(ColumnRole::Sealed).map(field).collect::<Result<_, _>>()?),
            tag: spec.places(ColumnRole::Tag).map(|(at, _)| at).next(),
            bound: spec.places(ColumnRole::Clear).map(|(at, _)| at).collect(),
            has_index: spec.places(ColumnRole::Index).next().is_some(),
        })
    }

    /// The id of a row's record.
    pub(super) fn record_id(&self, record: &RecordSchema, row: &Row<'_>) -> Result<Identifier<'static>, FieldFault> {
        let cells = self.ids.iter().zip(record.ids()).map(|(at, id)| match id_cell(row.cell(*at), id)? {
            Plain::Null => Err(id_missing()),
            cell => Ok(cell),
        });
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        record.record_id(&cells).map_err(|error| FieldFault::of(&error, ""))
    }

    /// The id of a row's subject, if it has one.
    pub(super) fn subject_id(
        &self,
        record: &RecordSchema,
        row: &Row<'_>,
    ) -> Result<Option<Identifier<'static>>, FieldFault> {
        let (Some(at), Some(subject)) = (self.subject, record.subject()) else { return Ok(None) };
        match id_cell(row.cell(at), subject)? {
            Plain::Null if subject.is_optional() => Ok(None),
            Plain::Null => Err(id_missing()),
            cell => record.subject_id(cell).map_err(|error| FieldFault::of(&error, "")),
        }
    }
}

/// The fields in the order of the schema, in which the record tag covers them.
fn in_order(record: &RecordSchema, mut fields: Vec<(usize, FieldSchema)>) -> Vec<(usize, FieldSchema)> {
    fields.sort_by_key(|(_, field)| record.fields().iter().position(|other| other.id() == field.id()));
    fields
}

/// A cell that may be an id: text, or a UUID of 16 bytes.
fn id_cell<'r>(cell: Cell<'r>, id: &ClearSchema) -> Result<Plain<'r>, FieldFault> {
    let is_uuid = id.content() == Some(ContentType::Text(TextFormat::Uuid));
    match plain(cell) {
        Ok(Plain::Bytes(_)) if !is_uuid => Err(FieldFault::new("", Reason::ColumnType)),
        cell => cell.map_err(|reason| FieldFault::new("", reason)),
    }
}

pub(super) fn id_missing() -> FieldFault {
    FieldFault::new("", Reason::IdMissing)
}
