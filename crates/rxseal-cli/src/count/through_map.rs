//! Counting every source of a map.

use std::collections::BTreeMap;
use std::path::Path;

use rxseal::KeyId;
use rxseal::keys::KeyringFile;
use rxseal_map::{Addresses, Map, Source, SourceCounts, count_tokens};
use serde_json::{Value, json};

use super::as_json::{counts_as_json, members};
use super::part::{NOT_ALONE, not_alone};
use super::rings::{check_lost, has_key, keyrings, warn_of_others};
use crate::args::{Count, Global};
use crate::config::Config;
use crate::failure::Failure;
use crate::map;
use crate::output::{Output, table};

pub async fn run(global: &Global, path: &Path, command: &Count, output: &Output) -> Result<(), Failure> {
    let (map, addresses) = map::read(path, command.postgres.as_deref(), &Config::of(global)?)?;
    let rings = keyrings(global, &command.keyspaces).await?;
    let is_lost = |key: KeyId| !rings.is_empty() && !rings.iter().any(|ring| has_key(ring, key));
    let (mut rows, mut values, mut failed) = (Vec::new(), Vec::new(), None);
    let mut keys: BTreeMap<KeyId, u64> = BTreeMap::new();
    let mut has_strays = false;
    for source in map.sources() {
        match count_tokens(source, &addresses).await {
            Ok(counts) => {
                has_strays |= !counts.strays().is_empty();
                add_rows(source, &counts, is_lost, &mut rows);
                add_keyspaces(source, &counts, &command.keyspaces, &mut rows);
                values.push(as_json(source, &counts));
                for key in all_keys(&counts) {
                    let sum = keys.entry(key).or_default();
                    *sum = sum.saturating_add(counts.of(key));
                }
                for place in counts.places() {
                    if let Some(doubt) = place.counts().doubt() {
                        output.warning(&format!("{}, {}: {doubt}", source.name(), place.place()));
                    }
                }
            }
            // The others are still worth counting.
            Err(error) => {
                let failure = cannot_count(source, &error);
                rows.push([
                    source.name().to_owned(),
                    String::new(),
                    String::new(),
                    String::new(),
                    "not counted".to_owned(),
                ]);
                values.push(json!({ "source": source.name(), "error": failure.to_string(), "code": failure.code() }));
                output.warning(&failure.to_string());
                failed.get_or_insert(failure);
            }
        }
    }
    let lost: Vec<_> = keys.iter().map(|(key, count)| (*key, *count)).filter(|(key, _)| is_lost(*key)).collect();
    let value = json!({
        "sources": values, "keys": members(keys.into_iter()),
        "not_in_keyring": (!rings.is_empty()).then(|| members(lost.iter().copied())),
    });
    let mut text = table(["source", "column", "key", "tokens", ""], rows);
    if has_strays {
        text.push_str("\n\nnot called sealed: the map says that the column is readable, or does not name it. Resealing by this map misses these tokens");
    }
    output.say(&text, &value)?;
    match failed {
        Some(failure) => Err(failure),
        None => check_lost(&lost, &command.keyspaces),
    }
}

/// How many tokens are under `key` in all sources. Fails if one of them cannot prove it.
pub async fn count_under(
    key: KeyId,
    ring: &KeyringFile,
    map: &Map,
    addresses: &Addresses,
    output: &Output,
) -> Result<u64, Failure> {
    let keyspace = ring.keyspace();
    if !map.sources().iter().any(|source| source.keyspace().may_be(keyspace)) {
        return Err(Failure::Usage(format!("the map has no source of the keyspace {keyspace}: is it the right map?")));
    }
    let mut total: u64 = 0;
    for source in map.sources() {
        let counts = count_tokens(source, addresses).await.map_err(|error| cannot_count(source, &error))?;
        if counts.rows_without_keyspace() > 0 {
            let rows = counts.rows_without_keyspace();
            output.warning(&format!(
                "{}: {rows} rows name no keyspace, so no job reseals them: {NO_KEYSPACE}",
                source.name()
            ));
        }
        let under = counts.evidence(source, keyspace, ring.keys(), key).map_err(|reason| {
            if reason.is_unreadable() {
                return Failure::Checked(reason.to_string());
            }
            Failure::Coded("not-counted", reason.to_string())
        })?;
        total = total.saturating_add(under);
        // Of a source of several keyspaces they are what is expected.
        if matches!(source.keyspace(), rxseal_map::Keyspace::One(name) if name == keyspace) {
            let others = all_keys(&counts).filter(|key| !has_key(ring, *key)).map(|key| counts.of(key));
            warn_of_others(source.name(), others.fold(0, u64::saturating_add), ring, output);
        }
    }
    Ok(total)
}

pub fn cannot_count(source: &Source, error: &rxseal::Error) -> Failure {
    let text = Failure::from_reference(error);
    let named = if text.contains(source.name()) { text } else { format!("{}: {text}", source.name()) };
    Failure::Coded(error.code().as_str(), named)
}

fn all_keys(counts: &SourceCounts) -> impl Iterator<Item = KeyId> {
    let places = counts.places().iter().map(rxseal_map::PlaceCounts::counts);
    let all = places.chain(counts.strays().iter().map(rxseal_map::ColumnCounts::counts));
    let mut keys: Vec<_> = all.flat_map(|counts| counts.iter().map(|(key, _)| key)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
}

fn add_rows(source: &Source, counts: &SourceCounts, is_lost: impl Fn(KeyId) -> bool, rows: &mut Vec<[String; 5]>) {
    let mut row = |column: String, key: String, count: u64, mark: &str| {
        rows.push([source.name().to_owned(), column, key, count.to_string(), mark.to_owned()]);
    };
    let mark = |key: KeyId, otherwise: &'static str| if is_lost(key) { "not in the keyring" } else { otherwise };
    for place in counts.places() {
        let (column, counts) = (place.place().to_string(), place.counts());
        for (key, count) in counts.iter() {
            row(column.clone(), key.to_string(), count, mark(key, ""));
        }
        let joined = counts.joined().fold(0_u64, |sum, (_, count)| sum.saturating_add(count));
        for (what, count) in [
            ("not a token", counts.not_tokens()),
            ("of them like one", counts.look_alikes()),
            // Documents have more than their tokens.
            (NOT_ALONE, if place.place().pointer().is_none() { not_alone(counts) } else { 0 }),
            ("null", counts.nulls()),
            ("joined", joined),
        ] {
            if count > 0 {
                row(column.clone(), what.to_owned(), count, "");
            }
        }
        if counts.total() == 0 && counts.not_tokens() == 0 && counts.nulls() == 0 {
            row(column, "no rows".to_owned(), 0, "");
        }
    }
    for stray in counts.strays() {
        for (key, count) in stray.counts().iter() {
            row(stray.column().to_owned(), key.to_string(), count, mark(key, "not called sealed"));
        }
    }
}

const NO_KEYSPACE: &str = "give each row its keyspace, or delete it (docs/MIGRATION.md)";

/// The rows that no keyring is of, and those of keyspaces that were not named, if some were.
fn add_keyspaces(source: &Source, counts: &SourceCounts, named: &[String], rows: &mut Vec<[String; 5]>) {
    let Some(column) = source.keyspace().column() else { return };
    let others =
        counts.rows_by_keyspace().filter(|(name, _)| !named.is_empty() && !named.iter().any(|named| named == name));
    let others = others.fold(0_u64, |sum, (_, rows)| sum.saturating_add(rows));
    for (what, count) in [("no keyspace", counts.rows_without_keyspace()), ("other keyspaces", others)] {
        if count > 0 {
            let name = source.name().to_owned();
            rows.push([name, column.to_string(), what.to_owned(), count.to_string(), "rows".to_owned()]);
        }
    }
}

fn as_json(source: &Source, counts: &SourceCounts) -> Value {
    let places = counts.places().iter().map(|place| {
        counts_as_json(place.counts(), [("place", json!(place.place().to_string())), ("field", json!(place.field()))])
    });
    let strays =
        counts.strays().iter().map(|stray| json!({ "column": stray.column(), "keys": members(stray.counts().iter()) }));
    json!({
        "source": source.name(), "record": source.record(), "files": counts.files(), "places": places.collect::<Vec<_>>(),
        "strays": strays.collect::<Vec<_>>(), "rows_without_keyspace": counts.rows_without_keyspace(),
        "rows_by_keyspace": counts.rows_by_keyspace().map(|(name, rows)| (name.to_owned(), json!(rows))).collect::<serde_json::Map<_, _>>(),
    })
}
