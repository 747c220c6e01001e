//! Which cell of a row is what.

use std::borrow::Cow;

use rxseal::schema::{ClearSchema, ContentType, FieldSchema, Plain, RecordSchema, Shape, TextFormat};
use rxseal::{Error, Identifier};

use crate::fault::{FieldFault, Reason};
use crate::row::{Cell, Row};
use crate::spec::{ColumnRole, Spec};
use crate::trouble::refused;

pub(super) struct Layout {
    ids: Vec<usize>,
    pub(super) subject: Option<usize>,
    pub(super) needs_subject: bool,
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
            needs_subject: record.subject().is_some_and(|subject| !subject.is_optional()),
            fields: in_order(record, spec.places(ColumnRole::Sealed).map(field).collect::<Result<_, _>>()?),
            tag: spec.places(ColumnRole::Tag).map(|(at, _)| at).next(),
            bound: spec.places(ColumnRole::Clear).map(|(at, _)| at).collect(),
            has_index: spec.places(ColumnRole::Index).next().is_some(),
        })
    }

    /// The id of a row's record.
    pub(super) fn record_id(&self, record: &RecordSchema, row: &Row<'_>) -> Result<Identifier<'static>, FieldFault> {
        let texts =
            self.ids.iter().zip(record.ids()).map(|(at, id)| id_text(row.cell(*at), Some(id))?.ok_or_else(id_missing));
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        let cells: Vec<_> = texts.iter().map(|text| Plain::Text(text)).collect();
        record.record_id(&cells).map_err(|error| FieldFault::of(&error, ""))
    }
}

/// The fields in the order of the schema, in which the record tag covers them.
fn in_order(record: &RecordSchema, mut fields: Vec<(usize, FieldSchema)>) -> Vec<(usize, FieldSchema)> {
    fields.sort_by_key(|(_, field)| record.fields().iter().position(|other| other.id() == field.id()));
    fields
}

/// The text of an id. `None` for NULL. A UUID may be its 16 bytes, as drivers of SQLite write it.
pub(super) fn id_text<'r>(cell: Cell<'r>, id: Option<&ClearSchema>) -> Result<Option<Cow<'r, str>>, FieldFault> {
    let is_uuid = id.and_then(ClearSchema::content) == Some(ContentType::Text(TextFormat::Uuid));
    let text = match cell {
        Cell::Null(_) => return Ok(None),
        Cell::Text(text) => Some(text.into()),
        Cell::Bytes(bytes) if is_uuid => uuid_text(bytes).map(Cow::from),
        Cell::Bytes(_) | Cell::Other => None,
    };
    text.map(Some).ok_or_else(|| FieldFault::new("", Reason::ColumnType))
}

fn uuid_text(bytes: &[u8]) -> Option<String> {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes.try_into().ok()?));
    let places = [0..8, 8..12, 12..16, 16..20, 20..32];
    Some(places.map(|place| digits.get(place).unwrap_or_default()).join("-"))
}

pub(super) fn id_missing() -> FieldFault {
    FieldFault::new("", Reason::IdMissing)
}

#[cfg(test)]
mod tests {
    use super::uuid_text;

    #[test]
    fn a_uuid_of_bytes_is_its_text() {
        let bytes = 0x0197_a000_0000_7000_8000_0000_0000_0001_u128.to_be_bytes();
        assert_eq!(uuid_text(&bytes).as_deref(), Some("0197a000-0000-7000-8000-000000000001"));
        assert_eq!(uuid_text(&bytes[1..]), None);
    }
}
