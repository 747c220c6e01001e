//! How many rows a copy should have: as somebody counted them, and as the last restore drill read them.

use std::collections::BTreeMap;
use std::path::Path;

use rxseal_map::{Map, Source};
use rxseal_watch::LoggedEvent;
use serde_json::{Value, json};

use super::bench::{Bench, Size, Tables};
use super::fault::Fault;
use super::undecided::Undecided;
use crate::audit::events;
use crate::failure::Failure;
use crate::output::time;

/// What somebody expects, and what the log has.
pub struct Expected {
    by_source: BTreeMap<String, u64>,
    /// Of each keyspace, the last restore drill by the same map that passed. `Err` if the log cannot be read.
    before: Result<BTreeMap<String, Before>, Failure>,
}

struct Before {
    /// The second.
    at: u64,
    size: Size,
}

impl Expected {
    /// `given` are texts such as `sqlite:pharmacy.db#prescriptions=1200`. If the map has one source, the number is enough.
    pub fn of(given: &[String], bench: &Bench) -> Result<Self, Failure> {
        let mut by_source = BTreeMap::new();
        for text in given {
            let (source, rows) = parse(text, &bench.map).ok_or_else(|| {
                let names: Vec<_> = bench.map.sources().iter().map(Source::name).collect();
                Failure::Usage(format!("--expect-rows {text}: write SOURCE=N, with one of {}", names.join(", ")))
            })?;
            by_source.insert(source.to_owned(), rows);
        }
        let before = bench.config.journal.folder().map_or_else(|| Ok(BTreeMap::new()), |log| read(log, &bench.map));
        Ok(Self { by_source, before })
    }

    /// Fewer rows than were expected are a fault. Fewer than last time are a question, since rows may have been deleted on purpose.
    pub fn judge(&self, bench: &Bench, tables: &Tables<'_>, faults: &mut Vec<Fault>, undecided: &mut Vec<Undecided>) {
        for table in &tables.read {
            let (name, has) = (table.source.name(), table.drawn.read.rows);
            if let Some(expected) = self.by_source.get(name).filter(|expected| **expected > has) {
                faults.push(Fault::new(
                    "rows-missing",
                    name,
                    format!("it has {has} rows, and {expected} were expected"),
                ));
            }
        }
        if self.is_of_all(&bench.map) {
            return;
        }
        let before = match &self.before {
            Ok(before) => before,
            Err(failure) => {
                let text = format!("the log does not say how many rows the last drill read: {failure}");
                undecided.push(Undecided::of("all sources", "last-drill-unknown", text));
                return;
            }
        };
        for (ring, now) in bench.rings.iter().zip(tables.sizes(&bench.rings)) {
            let Some(Before { at, size }) = before.get(ring.keyspace()) else { continue };
            if now.rows < size.rows || now.tokens < size.tokens {
                let text = format!(
                    "{} rows have {} tokens, and in the last drill that passed, {}, {} rows had {}: count the rows of the database, and say with --expect-rows how many there should be",
                    now.rows,
                    now.tokens,
                    time(*at),
                    size.rows,
                    size.tokens
                );
                undecided.push(Undecided::of(ring.keyspace(), "fewer-rows", text));
            }
        }
    }

    /// What the numbers of rows were compared with, for the summary.
    pub fn shown(&self, bench: &Bench) -> &'static str {
        let has_before = |before: &BTreeMap<_, _>| bench.rings.iter().all(|ring| before.contains_key(ring.keyspace()));
        if self.is_of_all(&bench.map) {
            "compared with what was expected"
        } else if self.before.as_ref().is_ok_and(has_before) {
            "compared with the last drill"
        } else {
            "compared with nothing: --expect-rows says how many there should be"
        }
    }

    /// Each source with its rows and what was expected, as programs read it.
    pub fn as_json(&self, tables: &Tables<'_>) -> Value {
        let of = tables.read.iter().map(|table| {
            let name = table.source.name();
            json!({ "source": name, "rows": table.drawn.read.rows, "expected": self.by_source.get(name) })
        });
        of.collect()
    }

    fn is_of_all(&self, map: &Map) -> bool {
        map.sources().iter().all(|source| self.by_source.contains_key(source.name()))
    }
}

fn parse<'t>(text: &'t str, map: &'t Map) -> Option<(&'t str, u64)> {
    let (name, rows) = match (text.rsplit_once('='), map.sources()) {
        (Some(parts), _) => parts,
        (None, [only]) => (only.name(), text),
        (None, _) => return None,
    };
    map.source(name).is_some().then_some((name, rows.parse().ok()?))
}

fn read(log: &Path, map: &Map) -> Result<BTreeMap<String, Before>, Failure> {
    let (digest, mut before) = (hex::encode(map.digest()), BTreeMap::<_, Before>::new());
    events::each(log, None, |event| {
        if let Some((keyspace, last)) = of_event(&event, &digest)
            && before.get(&keyspace).is_none_or(|known| known.at <= last.at)
        {
            before.insert(keyspace, last);
        }
        Ok(())
    })?;
    Ok(before)
}

/// What a restore drill of this map read that passed. Before there were such numbers, a line had none.
fn of_event(event: &LoggedEvent, map: &str) -> Option<(String, Before)> {
    let is_it = event.kind() == "drill"
        && event.text("what") == Some("restore")
        && event.text("out") == Some("passed")
        && event.text("map") == Some(map);
    let keyspace = event.text("ks").filter(|_| is_it)?;
    let number = |name: &str| event.json().get("num")?.get(name)?.as_u64();
    let size = Size { rows: number("rows")?, tokens: number("tokens")? };
    Some((keyspace.to_owned(), Before { at: event.time() / 1000, size }))
}
