//! A source of the map and a record type of the schema, as the columns of a job.

use rxseal::schema::{ClearSchema, RecordSchema};
use rxseal::{Error, FieldId};
use rxseal_map::{At, Keyspace, Place, Source};
use serde_json::json;

use super::body::Body;
use super::column::{Column, ColumnRole};
use super::operation::Operation;
use crate::trouble::refused;

pub(super) fn resolve(
    operation: Operation,
    source: &Source,
    record: &RecordSchema,
    keyspace: &str,
) -> Result<Body, Error> {
    let table = match source.at() {
        At::Postgres { table } | At::Sqlite { table, .. } => table.clone(),
        _ => return Err(refused("a job runs over a table: files are sealed with rxseal-arrow, and written anew")),
    };
    if source.record() != record.record_type() {
        return Err(refused(format!(
            "the source has records of type {}: give the schema of that type",
            source.record()
        )));
    }
    Ok(Body {
        operation,
        keyspace: keyspace.to_owned(),
        at: source.name().to_owned(),
        table,
        record_type: record.record_type().to_owned(),
        columns: columns(operation, source, record)?,
        keyspace_column: keyspace_column(source.keyspace(), keyspace)?,
        schema: schema_text(record),
    })
}

fn columns(operation: Operation, source: &Source, record: &RecordSchema) -> Result<Vec<Column>, Error> {
    let mut columns = Vec::new();
    same_ids(source, record)?;
    for (at, place) in source.id().iter().enumerate() {
        columns.push(Column::new(whole(place)?, ColumnRole::Id, at.to_string()));
    }
    match (source.subject(), record.subject()) {
        (Some(_), None) => return Err(refused("the map names a subject, and records of this type have none")),
        (Some(place), Some(_)) => columns.push(Column::new(whole(place)?, ColumnRole::Subject, "")),
        (None, Some(subject)) if !subject.is_optional() => {
            return Err(refused(
                "records of this type have a subject, and the map names no column of it: add `subject`",
            ));
        }
        (None, _) if operation == Operation::AddSubject => {
            return Err(refused("the map names no column of the subject: add `subject`"));
        }
        (None, _) => {}
    }
    for sealed in source.sealed() {
        let Some(field) = record.field(sealed.field()) else {
            return Err(refused(format!("the schema has no field {} in this record type", sealed.field())));
        };
        columns.push(Column::sealed(whole(sealed.place())?, field));
    }
    for index in source.index() {
        if !record.indexes().iter().any(|declared| declared.id() == index.index()) {
            return Err(refused(format!("the schema has no index {} in this record type", index.index())));
        }
        columns.push(Column::new(whole(index.place())?, ColumnRole::Index, index.index()));
    }
    match (source.tag(), record.tag()) {
        (Some(place), Some(_)) => {
            columns.push(Column::new(whole(place)?, ColumnRole::Tag, ""));
            covered(source, record)?;
            for value in record.clear().iter().filter(|value| value.bound_as().is_some()) {
                let bound = value.bound_as().map_or("", |id| id.as_str());
                columns.push(Column::new(value.member(), ColumnRole::Clear, bound));
            }
        }
        (None, None) => {}
        (Some(_), None) => return Err(refused("the map names a record tag, and the schema has none")),
        (None, Some(_)) => {
            return Err(refused(
                "records of this type have a record tag, and the map names no column of it: add `tag`",
            ));
        }
    }
    if operation == Operation::Reindex && source.index().is_empty() {
        return Err(refused("the map names no index columns of this source"));
    }
    Ok(columns)
}

/// A tag covers all fields of a record, so a job that makes tags must have all of them.
fn covered(source: &Source, record: &RecordSchema) -> Result<(), Error> {
    let is_named = |id: &str| source.sealed().iter().any(|sealed| sealed.field() == id);
    let missing = record.fields().iter().find(|field| !is_named(field.id().as_str()));
    match missing {
        Some(field) => Err(refused(format!(
            "the record tag covers the field {}, and the map names no column of it: name the columns of all fields",
            field.id().as_str()
        ))),
        None => Ok(()),
    }
}

/// A column of which a job writes the whole cell.
fn whole(place: &Place) -> Result<&str, Error> {
    match place.pointer() {
        None => Ok(place.column()),
        Some(_) => {
            let text = format!(
                "{place} is a place in a JSON document, and a job writes whole columns: move the value into a column of its own"
            );
            Err(refused(text))
        }
    }
}

fn keyspace_column(named: &Keyspace, keyspace: &str) -> Result<Option<String>, Error> {
    match named {
        Keyspace::Column(place) => Ok(Some(whole(place)?.to_owned())),
        Keyspace::Several(_) => Err(refused(
            "the rows of the source are of several keyspaces, and no column says of which: name it in the map",
        )),
        _ if named.may_be(keyspace) => Ok(None),
        _ => Err(refused("the source is of another keyspace than the keyring")),
    }
}

/// Another order of the columns makes ids that the program does not have, and nothing that is sealed for them opens.
fn same_ids(source: &Source, record: &RecordSchema) -> Result<(), Error> {
    let known: Vec<_> = record.ids().iter().map(ClearSchema::member).collect();
    let named: Vec<_> = source.id().iter().map(Place::column).collect();
    let is_in_other_order = known != named && known.iter().all(|member| named.contains(member));
    if known.len() != named.len() || is_in_other_order {
        return Err(refused(
            "the map's `id` has other columns than the ids of the schema, or has them in another order: see `rxseal map check`",
        ));
    }
    Ok(())
}

/// All that decides about the tokens of a record type, so that its digest is another one if a program and a worker differ.
fn schema_text(record: &RecordSchema) -> serde_json::Value {
    let fields = record.fields().iter().map(|field| {
        let content = field.content().map(|content| content.to_string());
        json!([
            field.id().as_str(),
            field.class().as_str(),
            field.block(),
            field.max_len(),
            content,
            field.seals_null(),
            field.since()
        ])
    });
    let indexes = record.indexes().iter().map(|index| json!([index.id(), index.digest()]));
    let clear = |clear: &ClearSchema| {
        let content = clear.content().map(|content| content.to_string());
        json!([clear.member(), clear.bound_as().map(FieldId::as_str), content, clear.is_optional()])
    };
    let subject = record.subject().map(clear);
    json!({
        "ids": record.ids().iter().map(clear).collect::<Vec<_>>(),
        "subject": subject,
        "clear": record.clear().iter().map(clear).collect::<Vec<_>>(),
        "former": record.former_types().collect::<Vec<_>>(),
        "fields": fields.collect::<Vec<_>>(),
        "indexes": indexes.collect::<Vec<_>>(),
        "cover": record.tag().map(rxseal::schema::TagSchema::cover),
    })
}
