//! The map against the program's schema.

use rxseal::FieldId;
use rxseal::schema::{ClearSchema, FieldSchema, PartSchema, RecordSchema, Schema, Shape};

use crate::finding::Finding;
use crate::map::Map;
use crate::place::Place;
use crate::source::{Indexed, Sealed, Source};

pub(super) fn check(map: &Map, schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in map.sources() {
        match schema.record(source.record()) {
            Some(record) => check_source(source, record, &mut findings),
            None => findings.push(unknown_record(source, schema)),
        }
    }
    for record in schema.records() {
        find_missing(map, record, &mut findings);
    }
    for name in map.elsewhere() {
        let known = |record: &RecordSchema| {
            record.record_type() == name
                || record.field_ids().any(|id| id.as_str() == name)
                || record.indexes().iter().any(|index| index.id() == name)
        };
        if !schema.records().iter().any(known) {
            let text = format!(
                "`elsewhere` names {name}, which is no record type, field or index of the program: take it out"
            );
            findings.push(Finding::fault("elsewhere-unknown", text));
        }
    }
    findings
}

fn unknown_record(source: &Source, schema: &Schema) -> Finding {
    let now = schema.records().iter().find(|record| record.former_types().any(|former| former == source.record()));
    match now {
        Some(now) => {
            let text = format!(
                "the program calls these records {} now: write that as `record`, and this name in `was`",
                now.record_type()
            );
            Finding::fault("record-former", text)
        }
        None => Finding::fault(
            "record-unknown",
            format!("the program has no record type {}: correct the map, or write the schema anew", source.record()),
        ),
    }
    .of(source)
}

fn check_source(source: &Source, record: &RecordSchema, findings: &mut Vec<Finding>) {
    let mut found = |finding: Finding| findings.push(finding.of(source));
    for former in source.was() {
        if !record.former_types().any(|known| known == former) {
            let text = format!(
                "the program does not open what was sealed as {former}: it lacks `was = \"{former}\"`, or the map has a name too many"
            );
            found(Finding::fault("former-unknown", text));
        }
    }
    check_ids(source, record, &mut found);
    match (source.subject(), record.subject()) {
        (None, Some(subject)) => found(Finding::fault(
            "subject-missing",
            format!("records have a subject, in the program's {}: name its column as `subject`", subject.member()),
        )),
        (Some(_), None) => {
            found(Finding::fault("subject-unknown", "records have no subject in the program: leave `subject` out"));
        }
        _ => {}
    }
    match (source.tag(), record.tag()) {
        (None, Some(tag)) => {
            // An export may leave it out, and rows are verified where they are.
            let is_table = source.at().table().is_some();
            let text = format!("records have a tag, in the program's {}: name its column as `tag`", tag.member());
            found(Finding::new(is_table, "tag-missing", text));
        }
        (Some(_), None) => found(Finding::fault("tag-unknown", "records have no tag in the program: leave `tag` out")),
        _ => {}
    }
    if record.is_enum() {
        found(Finding::note(
            "record-enum",
            "rows have one of several shapes, since the record is an enum: commands work on single fields of them",
        ));
    }
    for sealed in source.sealed() {
        if let Some(finding) = check_sealed(sealed, record) {
            findings.push(finding.of(source).at(sealed.place(), sealed.line()));
        }
    }
    for index in source.index() {
        if !record.indexes().iter().any(|known| known.id() == index.index()) {
            let text = format!("the program has no index {} of these records", index.index());
            findings.push(Finding::fault("index-unknown", text).of(source).at(index.place(), index.line()));
        }
    }
    for clear in source.clear() {
        let member = clear.place().column();
        let sealed = record.fields().iter().find(|field| field.member() == member && field.nested().next().is_none());
        if let Some(field) = sealed.filter(|_| clear.place().pointer().is_none()) {
            let text = format!(
                "the map calls it readable, and the program seals the field {} in a column of this name",
                field.id().as_str()
            );
            findings.push(Finding::fault("clear-sealed", text).of(source).at(clear.place(), clear.line()));
        }
    }
}

fn check_ids(source: &Source, record: &RecordSchema, found: &mut impl FnMut(Finding)) {
    let known: Vec<_> = record.ids().iter().map(ClearSchema::member).collect();
    let named: Vec<_> = source.id().iter().map(Place::column).collect();
    if known.len() != named.len() {
        let text =
            format!("`id` has {} columns, and the record id has {}: {}", named.len(), known.len(), known.join(", "));
        found(Finding::fault("id-columns", text));
    } else if known != named && known.iter().all(|member| named.contains(member)) {
        let text = format!(
            "`id` has the columns in another order than the program, where the record id is {}",
            known.join(", ")
        );
        found(Finding::fault("id-order", text));
    }
}

fn check_sealed(sealed: &Sealed, record: &RecordSchema) -> Option<Finding> {
    let field = record.field(sealed.field());
    if let Some(field) = field {
        return match (field.content(), field.shape()) {
            (_, Shape::Each | Shape::Parts) => Some(Finding::note(
                "several-tokens",
                "a row has several tokens of the field: commands count them, and jobs on it run in the program",
            )),
            (None, _) => Some(Finding::note(
                "content-unknown",
                "the schema does not say what the field's values are, so no command seals it: implement `HasContent` for its type, or run jobs on it in the program",
            )),
            _ => None,
        };
    }
    if let Some(part) = record.parts().iter().find_map(|part| part_with(part, sealed.field())) {
        let text =
            format!("the field is of the part {}: commands count it, and jobs on it run in the program", part.name());
        return Some(Finding::note("part-field", text));
    }
    let is_former = |field: &&FieldSchema| field.former().iter().any(|(former, _)| former.as_str() == sealed.field());
    Some(match record.fields().iter().find(is_former) {
        Some(now) => {
            Finding::fault("field-former", format!("the program calls the field {} now: write that", now.id().as_str()))
        }
        None => {
            Finding::fault("field-unknown", format!("the program has no field {} in these records", sealed.field()))
        }
    })
}

fn part_with<'s>(part: &'s PartSchema, field: &str) -> Option<&'s PartSchema> {
    let own = part.fields().iter().any(|known| known.id().as_str() == field).then_some(part);
    own.or_else(|| part.parts().iter().find_map(|part| part_with(part, field)))
}

/// What the program has and no source does. A record may be spread over several tables.
fn find_missing(map: &Map, record: &RecordSchema, findings: &mut Vec<Finding>) {
    let is_elsewhere = |name: &str| map.elsewhere().any(|known| known == name);
    let record_type = record.record_type();
    if is_elsewhere(record_type) {
        return;
    }
    let sources: Vec<_> = map.sources().iter().filter(|source| source.record() == record_type).collect();
    if sources.is_empty() {
        let text = format!(
            "no source has records of the type {record_type}: add one, or name the type in `elsewhere` if they are in no table or file"
        );
        findings.push(Finding::fault("record-missing", text));
        return;
    }
    let mut missing = |code, what: &str, id: &str| {
        let text = format!(
            "no source has the {what} {id} of {record_type} records: add its column, or name it in `elsewhere`"
        );
        findings.push(Finding::fault(code, text));
    };
    let mut ids: Vec<_> = record.field_ids().map(FieldId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let mut sealed = sources.iter().flat_map(|source| source.sealed());
        if !is_elsewhere(id) && !sealed.any(|sealed| sealed.field() == id) {
            missing("field-missing", "field", id);
        }
    }
    for index in record.indexes() {
        let mut indexed = sources.iter().flat_map(|source| source.index());
        if !is_elsewhere(index.id()) && !indexed.any(|indexed: &Indexed| indexed.index() == index.id()) {
            missing("index-missing", "index", index.id());
        }
    }
}
