//! What the map and the schema say: where data lies, and which of it is sealed.

use std::collections::BTreeSet;

use rxseal::schema::Schema;
use rxseal_map::{At, Keyspace, Map, Source};
use serde::Serialize;

use crate::digest::digest;
use crate::error::EvidenceError;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct MapFacts {
    pub(crate) sha256: String,
    pub(crate) schema_sha256: String,
    pub(crate) sources: Vec<SourceFacts>,
    /// Record types, fields and indexes that are in no source.
    pub(crate) elsewhere: Vec<String>,
    /// How many faults the check of the map against the schema finds.
    pub(crate) faults: usize,
    /// The keyspaces that the map names, and whether a column of some source names others.
    pub(crate) keyspaces: BTreeSet<String>,
    pub(crate) more_keyspaces: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct SourceFacts {
    pub(crate) name: String,
    pub(crate) record: String,
    /// `postgres`, or `file` for what is read on this machine.
    pub(crate) at: &'static str,
    pub(crate) sealed: Vec<SealedFacts>,
    pub(crate) tag: Option<String>,
    pub(crate) clear: Vec<ClearFacts>,
    pub(crate) index: Vec<IndexFacts>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct SealedFacts {
    pub(crate) place: String,
    pub(crate) field: String,
    /// As the schema says. Null if it has no such field in a record of its own.
    pub(crate) class: Option<String>,
    pub(crate) block: Option<u16>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClearFacts {
    pub(crate) place: String,
    pub(crate) kind: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct IndexFacts {
    pub(crate) place: String,
    pub(crate) index: String,
}

impl MapFacts {
    pub(crate) fn of(map_text: &str, schema_text: &str) -> Result<Self, EvidenceError> {
        let map = Map::parse(map_text).map_err(|mistakes| EvidenceError::Invalid(format!("the map: {mistakes}")))?;
        let schema =
            Schema::parse(schema_text).map_err(|error| EvidenceError::Invalid(format!("the schema: {error}")))?;
        let (mut keyspaces, mut more_keyspaces) = (BTreeSet::new(), false);
        for keyspace in map.sources().iter().map(Source::keyspace) {
            match keyspace {
                Keyspace::One(name) => drop(keyspaces.insert(name.clone())),
                Keyspace::Several(names) => keyspaces.extend(names.iter().cloned()),
                _ => more_keyspaces = true,
            }
        }
        Ok(Self {
            sha256: hex::encode(map.digest()),
            schema_sha256: hex::encode(digest(schema_text.as_bytes())),
            sources: map.sources().iter().map(|source| SourceFacts::of(source, &schema)).collect(),
            elsewhere: map.elsewhere().map(str::to_owned).collect(),
            faults: map.check(&schema).iter().filter(|finding| finding.is_fault()).count(),
            keyspaces,
            more_keyspaces,
        })
    }
}

impl SourceFacts {
    fn of(source: &Source, schema: &Schema) -> Self {
        let record = schema.record(source.record());
        let sealed = source.sealed().iter().map(|sealed| {
            let field = record.and_then(|record| record.field(sealed.field()));
            SealedFacts {
                place: sealed.place().to_string(),
                field: sealed.field().to_owned(),
                class: field.map(|field| field.class().as_str().to_owned()),
                block: field.map(rxseal::schema::FieldSchema::block),
            }
        });
        let clear = source.clear().iter();
        let index = source.index().iter();
        Self {
            name: source.name().to_owned(),
            record: source.record().to_owned(),
            at: if matches!(source.at(), At::Postgres { .. }) { "postgres" } else { "file" },
            sealed: sealed.collect(),
            tag: source.tag().map(ToString::to_string),
            clear: clear
                .map(|clear| ClearFacts { place: clear.place().to_string(), kind: clear.kind().as_str() })
                .collect(),
            index: index.map(|of| IndexFacts { place: of.place().to_string(), index: of.index().to_owned() }).collect(),
        }
    }
}
