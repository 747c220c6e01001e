//! The text of a schema: `rxseal-schema.json`. What has its usual value is left out, so that a person can read it.

use serde::{Deserialize, Serialize};

use super::clear::{Bound, ClearSchema};
use super::content::ContentType;
use super::field::{FieldData, FieldSchema, Shape};
use super::fields::{Fields, PartSchema};
use super::index::IndexDeclared;
use super::interned;
use super::place::Place;
use super::record::{RecordData, RecordSchema, TagSchema};
use crate::codec::json_object::{Object, objects, present};
use crate::codec::text;
use crate::error::{Error, ErrorKind, Reason};
use crate::field::Declaration;
use crate::id::{Class, FieldId, Name};

const VERSION: u64 = 1;
/// FORMAT 15.10
const MAX_FORMER: usize = 4;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rxseal_schema: u64,
    #[serde(deserialize_with = "objects")]
    records: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    record: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    was: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false", rename = "enum")]
    is_enum: bool,
    #[serde(deserialize_with = "objects")]
    ids: Vec<Clear>,
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    subject: Option<Clear>,
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    tag: Option<Tag>,
    #[serde(deserialize_with = "objects")]
    fields: Vec<Field>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    clear: Vec<Clear>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<Index>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    member: String,
    part: String,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    since: u8,
    #[serde(deserialize_with = "objects")]
    ids: Vec<Clear>,
    #[serde(deserialize_with = "objects")]
    fields: Vec<Field>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    clear: Vec<Clear>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Self>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    member: String,
    cover: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    member: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nested: Vec<Box<str>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    variant: Option<Box<str>>,
    id: String,
    class: String,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    was: Vec<Former>,
    block: u16,
    max: u32,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    seals_null: bool,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    shape: Option<String>,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    since: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Former {
    id: String,
    class: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clear {
    member: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nested: Vec<Box<str>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    variant: Option<Box<str>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    bind: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    scale: Option<u8>,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    since: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    member: String,
    index: String,
    kind: String,
    bits: u8,
    definition: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    was: Vec<String>,
}

pub(super) fn to_json(records: &[RecordSchema]) -> String {
    let file = File { rxseal_schema: VERSION, records: records.iter().map(write_record).collect() };
    // Members are strings and numbers, which are always written.
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

pub(super) fn parse(json: &str) -> Result<Vec<RecordSchema>, Error> {
    const MEMBER: Reason = "a member is missing, unknown, repeated or of a wrong type";
    const NO_JSON: Reason = "it is not one JSON document";
    const NEWER: Reason = "its version is not 1; a newer release of rxseal may read it";
    let Object(file): Object<File> = serde_json::from_str(json).map_err(|error| {
        let reason = if error.is_data() { MEMBER } else { NO_JSON };
        invalid(reason).at_place(error.line(), error.column())
    })?;
    if file.rxseal_schema != VERSION {
        return Err(invalid(NEWER));
    }
    file.records.into_iter().map(read_record).collect()
}

fn write_record(record: &RecordSchema) -> Record {
    let RecordData { record_type, former, is_enum, subject, tag, fields, indexes } = record.data();
    Record {
        record: record_type.to_string(),
        was: former.iter().map(ToString::to_string).collect(),
        is_enum: *is_enum,
        ids: fields.ids.iter().map(write_clear).collect(),
        subject: subject.as_ref().map(write_clear),
        tag: tag.as_ref().map(|tag| Tag { member: tag.member.to_string(), cover: tag.cover }),
        fields: fields.sealed.iter().map(write_field).collect(),
        clear: fields.clear.iter().map(write_clear).collect(),
        indexes: indexes.iter().map(write_index).collect(),
        parts: fields.parts.iter().map(write_part).collect(),
    }
}

fn read_record(record: Record) -> Result<RecordSchema, Error> {
    const COVER: Reason = "a cover number is 1 to 255";
    let Record { record, was, is_enum, ids, subject, tag, fields, clear, indexes, parts } = record;
    let read = || {
        let tag = tag.map(|Tag { member, cover }| match cover {
            0 => Err(invalid(COVER)),
            _ => Ok(TagSchema { member: checked_member(&member)?, cover }),
        });
        Ok((
            subject.map(read_clear).transpose()?,
            tag.transpose()?,
            read_fields(ids, fields, clear, parts)?,
            indexes.into_iter().map(read_index).collect::<Result<_, Error>>()?,
        ))
    };
    let (subject, tag, fields, indexes) = read().map_err(|error: Error| error.in_record(&record))?;
    let former = was.into_iter().map(Box::from).collect();
    RecordSchema::new(RecordData { record_type: record.into(), former, is_enum, subject, tag, fields, indexes })
}

fn write_part(PartSchema { member, name, since, fields }: &PartSchema) -> Part {
    Part {
        member: member.to_string(),
        part: name.to_string(),
        since: *since,
        ids: fields.ids.iter().map(write_clear).collect(),
        fields: fields.sealed.iter().map(write_field).collect(),
        clear: fields.clear.iter().map(write_clear).collect(),
        parts: fields.parts.iter().map(write_part).collect(),
    }
}

fn read_part(part: Part) -> Result<PartSchema, Error> {
    let Part { member, part, since, ids, fields, clear, parts } = part;
    Name::check("part name", &part)?;
    let fields = read_fields(ids, fields, clear, parts)?;
    Ok(PartSchema { member: checked_member(&member)?, name: part.into(), since: checked_since(since)?, fields })
}

fn read_fields(ids: Vec<Clear>, sealed: Vec<Field>, clear: Vec<Clear>, parts: Vec<Part>) -> Result<Fields, Error> {
    Ok(Fields {
        ids: ids.into_iter().map(read_clear).collect::<Result<_, _>>()?,
        sealed: sealed.into_iter().map(read_field).collect::<Result<_, _>>()?,
        clear: clear.into_iter().map(read_clear).collect::<Result<_, _>>()?,
        parts: parts.into_iter().map(read_part).collect::<Result<_, _>>()?,
    })
}

fn write_field(field: &FieldSchema) -> Field {
    let FieldData { place, declaration, content, optional, seals_null, shape, since } = field.data();
    let Declaration { id, class, former, block, max_len } = *declaration;
    let Place { member, nested, variant } = place.clone();
    let was = former.iter().map(|(id, class)| Former { id: id.as_str().into(), class: class.as_str().into() });
    Field {
        member: member.into(),
        nested,
        variant,
        id: id.as_str().into(),
        class: class.as_str().into(),
        was: was.collect(),
        block,
        max: max_len,
        content: content.map(|content| content.to_string()),
        optional: *optional,
        seals_null: *seals_null,
        shape: match shape {
            Shape::One => None,
            Shape::Each => Some("each".into()),
            Shape::Parts => Some("parts".into()),
        },
        since: *since,
    }
}

fn read_field(field: Field) -> Result<FieldSchema, Error> {
    const SHAPE: Reason = "the shape of a field is `each` or `parts`, or it is left out";
    let Field { member, nested, variant, id, class, was, block, max, content, optional, seals_null, shape, since } =
        field;
    let pair = |id: &str, class: &str| -> Result<(FieldId, Class), Error> {
        Ok((interned::field_id(id)?, interned::class(class)?))
    };
    let former = was.iter().map(|former| pair(&former.id, &former.class)).collect::<Result<Vec<_>, Error>>()?;
    let (id, class) = pair(&id, &class)?;
    FieldSchema::new(FieldData {
        place: Place::new(&member, nested, variant)?,
        declaration: Declaration { id, class, former: interned::former(&former)?, block, max_len: max },
        content: read_content(content)?,
        optional,
        seals_null,
        shape: match shape.as_deref() {
            None => Shape::One,
            Some("each") => Shape::Each,
            Some("parts") => Shape::Parts,
            Some(_) => return Err(invalid(SHAPE).at_field(id)),
        },
        since,
    })
}

fn write_clear(ClearSchema { place, content, optional, bind }: &ClearSchema) -> Clear {
    let Place { member, nested, variant } = place.clone();
    Clear {
        member: member.into(),
        nested,
        variant,
        content: content.map(|content| content.to_string()),
        optional: *optional,
        bind: bind.map(|bound| bound.id.as_str().into()),
        scale: bind.and_then(|bound| bound.scale),
        since: bind.map_or(1, |bound| bound.since),
    }
}

fn read_clear(clear: Clear) -> Result<ClearSchema, Error> {
    const UNBOUND: Reason = "`scale` and `since` are of a readable field that is bound";
    let Clear { member, nested, variant, content, optional, bind, scale, since } = clear;
    let since = checked_since(since)?;
    let bind = match bind {
        Some(id) => Some(Bound { id: interned::field_id(&id)?, scale, since }),
        None if scale.is_some() || since != 1 => return Err(invalid(UNBOUND)),
        None => None,
    };
    Ok(ClearSchema { place: Place::new(&member, nested, variant)?, content: read_content(content)?, optional, bind })
}

fn read_content(name: Option<String>) -> Result<Option<ContentType>, Error> {
    name.map(|name| name.parse()).transpose()
}

fn write_index(index: &IndexDeclared) -> Index {
    Index {
        member: index.member.to_string(),
        index: index.id.to_string(),
        kind: index.kind.to_string(),
        bits: index.bits,
        definition: text::encode(&index.definition),
        was: index.former.iter().map(|digest| text::encode(digest)).collect(),
    }
}

fn read_index(index: Index) -> Result<IndexDeclared, Error> {
    const KIND: Reason = "the kind of an index is `whole`, `compound`, `parts` or `sounds`";
    const BITS: Reason = "an index value has 8 to 64 bits, or 128";
    const DIGEST: Reason = "the digest of a definition is 43 characters of base64url";
    const FORMER: Reason = "an index has at most 4 former definitions";
    let Index { member, index, kind, bits, definition, was } = index;
    Name::check("index id", &index)?;
    if !matches!(kind.as_str(), "whole" | "compound" | "parts" | "sounds") {
        return Err(invalid(KIND));
    }
    if !(8..=64).contains(&bits) && bits != 128 {
        return Err(invalid(BITS));
    }
    if was.len() > MAX_FORMER {
        return Err(invalid(FORMER));
    }
    let digest = |text: &String| text::decode_array(text).ok_or_else(|| invalid(DIGEST));
    Ok(IndexDeclared {
        member: checked_member(&member)?,
        id: index.into(),
        kind: kind.into(),
        bits,
        definition: digest(&definition)?,
        former: was.iter().map(digest).collect::<Result<_, _>>()?,
    })
}

fn checked_member(member: &str) -> Result<Box<str>, Error> {
    Place::new(member, Vec::new(), None).map(|place| place.member)
}

fn checked_since(since: u8) -> Result<u8, Error> {
    const SINCE: Reason = "a cover number is 1 to 255";
    if since == 0 { Err(invalid(SINCE)) } else { Ok(since) }
}

#[cold]
fn invalid(reason: Reason) -> Error {
    ErrorKind::InvalidSchema.because(reason)
}

fn object<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Object::deserialize(deserializer).map(|Object(object)| Some(object))
}

fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_one(number: &u8) -> bool {
    *number == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}
