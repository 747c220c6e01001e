//! The kinds of data: the classes of sealed fields, indexes, and the kinds of readable columns.

use std::collections::{BTreeMap, BTreeSet};

use rxseal::schema::{FieldSchema, PartSchema, RecordSchema, Schema};
use rxseal_map::{ClearKind, Map, Source};

/// The kinds of data of a report, by number.
pub(crate) struct Classes {
    names: Vec<String>,
    sealed: BTreeMap<String, usize>,
    /// How many come before the kinds of readable columns.
    clear_from: usize,
    clear: BTreeMap<ClearKind, usize>,
    /// The present names of record types, by former ones.
    records: BTreeMap<String, String>,
}

/// Of a sealed place whose field the schema does not have.
const UNKNOWN: &str = "unknown";
/// Of columns that the map does not name.
const UNDECLARED: &str = "undeclared";

impl Classes {
    /// Those of the schema, the map and the log.
    pub(crate) fn new(map: &Map, schema: &Schema, of_log: BTreeSet<String>) -> Self {
        let mut sealed = of_log;
        for source in map.sources() {
            sealed.extend(source.sealed().iter().map(|place| class_name(schema, source, place.field())));
        }
        let indexes: BTreeSet<_> =
            map.sources().iter().flat_map(Source::index).map(|index| index_name(index.index())).collect();
        let mut names: Vec<_> = sealed.into_iter().collect();
        names.extend(indexes);
        let sealed = names.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        let clear_from = names.len();
        let kinds = ClearKind::ALL.iter().filter(|kind| **kind != ClearKind::Nothing);
        let clear = kinds.enumerate().map(|(at, kind)| (*kind, clear_from.saturating_add(at))).collect();
        names.extend(ClearKind::ALL.iter().filter(|kind| **kind != ClearKind::Nothing).map(ToString::to_string));
        names.push(UNDECLARED.to_owned());
        let of_schema = schema.records().iter().flat_map(|record| {
            record.former_types().map(|former| (former.to_owned(), record.record_type().to_owned()))
        });
        let of_map = map
            .sources()
            .iter()
            .flat_map(|source| source.was().map(|former| (former.to_owned(), source.record().to_owned())));
        // Where the two differ, the schema says it.
        let records = of_map.chain(of_schema).collect();
        Self { names, sealed, clear_from, clear, records }
    }

    /// The present name of a record type. Events of a log have the name of their time.
    pub(crate) fn record<'n>(&'n self, record: &'n str) -> &'n str {
        self.records.get(record).map_or(record, String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, class: usize) -> &str {
        self.names.get(class).map_or("", String::as_str)
    }

    /// Whether it is the kind of a readable column, or of an undeclared one.
    pub(crate) fn is_clear(&self, class: usize) -> bool {
        class >= self.clear_from
    }

    /// Whether it counts for the totals: readable columns are counted apart, undeclared ones are not known to be readable.
    pub(crate) fn is_in_totals(&self, class: usize) -> bool {
        !self.is_clear(class) || class == self.undeclared()
    }

    pub(crate) fn of_field(&self, schema: &Schema, source: &Source, field: &str) -> Option<usize> {
        self.of_name(&class_name(schema, source, field))
    }

    pub(crate) fn of_name(&self, class: &str) -> Option<usize> {
        self.sealed.get(class).copied()
    }

    pub(crate) fn of_index(&self, index: &str) -> Option<usize> {
        self.of_name(&index_name(index))
    }

    /// `None` for a column that tells nothing about a person.
    pub(crate) fn of_clear(&self, kind: ClearKind) -> Option<usize> {
        self.clear.get(&kind).copied()
    }

    pub(crate) fn undeclared(&self) -> usize {
        self.names.len().saturating_sub(1)
    }
}

/// What the program says of a field of a source: of its record, or of a part of it.
pub(crate) fn field_of<'s>(schema: &'s Schema, source: &Source, field: &str) -> Option<&'s FieldSchema> {
    let former = |record: &&RecordSchema| record.former_types().any(|former| former == source.record());
    let record = schema.record(source.record()).or_else(|| schema.records().iter().find(former))?;
    record.field(field).or_else(|| record.parts().iter().find_map(|part| in_part(part, field)))
}

fn in_part<'s>(part: &'s PartSchema, field: &str) -> Option<&'s FieldSchema> {
    let own = part.fields().iter().find(|known| known.id().as_str() == field);
    own.or_else(|| part.parts().iter().find_map(|part| in_part(part, field)))
}

fn class_name(schema: &Schema, source: &Source, field: &str) -> String {
    field_of(schema, source, field).map_or(UNKNOWN, |field| field.class().as_str()).to_owned()
}

fn index_name(index: &str) -> String {
    format!("index {index}")
}
