//! What the schema says of a source: which places are opened, and which only the program itself opens.

use rxseal::schema::{FieldSchema, RecordSchema, Schema, Shape};
use rxseal_map::{Sealed, Source};

use super::undecided::Undecided;

/// What a drill does with the rows of a source.
pub struct Layout {
    pub record: RecordSchema,
    /// The field of each sealed place of the map. `None` for a place that is left out.
    pub fields: Vec<Option<FieldSchema>>,
    /// Whether the record tag is verified: a row of cells has all that it covers.
    pub has_tag: bool,
}

impl Layout {
    /// `None` if nothing of it can be opened. What is left out is added to `undecided`.
    pub fn of(source: &Source, schema: &Schema, undecided: &mut Vec<Undecided>) -> Option<Self> {
        let mut left_out = |place: Option<&Sealed>, code, text| {
            let place = place.map(|sealed| sealed.place().to_string());
            undecided.push(Undecided { source: source.name().into(), place, code, text });
        };
        let Some(record) = schema.record(source.record()) else {
            left_out(
                None,
                "record-unknown",
                "the schema does not have this record type: see `rxseal map check`".into(),
            );
            return None;
        };
        if record.is_enum() {
            left_out(None, "record-enum", format!("the record is an enum: {PROGRAM}"));
            return None;
        }
        let mut fields = Vec::new();
        for sealed in source.sealed() {
            let field = record.field(sealed.field());
            match field {
                None => left_out(
                    Some(sealed),
                    "part-field",
                    format!("the field is no field of the record itself: {PROGRAM}"),
                ),
                Some(field) if field.shape() != Shape::One => {
                    left_out(
                        Some(sealed),
                        "several-tokens",
                        format!("the field is a list or a map of tokens: {PROGRAM}"),
                    );
                }
                Some(_) => {}
            }
            fields.push(field.filter(|field| field.shape() == Shape::One).cloned());
        }
        let is_flat = record.parts().is_empty() && record.fields().iter().all(|field| field.shape() == Shape::One);
        let has_all = record.fields().iter().all(|field| has_column(source, field));
        let has_tag = source.tag().is_some() && record.tag().is_some() && is_flat && has_all;
        if source.tag().is_some() && !has_tag {
            left_out(
                None,
                "tag-not-verified",
                format!("the record tag covers more than the sealed columns of a row: {PROGRAM}"),
            );
        }
        if fields.iter().all(Option::is_none) { None } else { Some(Self { record: record.clone(), fields, has_tag }) }
    }
}

const PROGRAM: &str = "only the program opens it, so open some records there";

fn has_column(source: &Source, field: &FieldSchema) -> bool {
    let is_it = |sealed: &&Sealed| sealed.field() == field.id().as_str() && sealed.place().pointer().is_none();
    source.sealed().iter().any(|sealed| is_it(&sealed))
}
