//! The events of a log, each as a whole.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::log::{Log, failed};
use crate::failure::Failure;
use crate::output::time;

/// An event, and where it is.
pub struct Event {
    pub chain: String,
    pub n: u64,
    pub json: Value,
}

/// What only the first line of a large page has.
const OF_FIRST_LINE: [&str; 6] = ["find", "cls", "key", "out", "err", "bud"];

/// Calls `each` with every event of a log, or at least with those of a patient. What a page has in its first line alone, its other lines get here
/// too, if the first is read.
pub fn each(
    log: &Path,
    patient: Option<&str>,
    mut each: impl FnMut(Event) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut first, mut result) = (None::<Event>, Ok(()));
    let read = Log::open(log)?.read(patient, |line| {
        if result.is_err() {
            return;
        }
        let json = serde_json::from_str(line.json()).unwrap_or(Value::Null);
        let mut event = Event { chain: line.chain().to_string(), n: line.number(), json };
        match (event.number("of"), &first) {
            (Some(n), Some(first)) if first.n == n && first.chain == event.chain => event.complete(first),
            (None, _) if event.patients().nth(1).is_some() => {
                first = Some(Event { chain: event.chain.clone(), n: event.n, json: event.json.clone() });
            }
            _ => {}
        }
        result = each(event);
    });
    read.map_err(failed)?;
    result
}

impl Event {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.json.get(name).and_then(Value::as_u64)
    }

    pub fn is(&self, kind: &str) -> bool {
        self.text("e") == Some(kind)
    }

    /// Unix milliseconds.
    pub fn at(&self) -> u64 {
        self.number("t").unwrap_or_default()
    }

    /// Whether somebody may have seen a value.
    pub fn is_seen(&self) -> bool {
        self.is("open") && self.text("out").is_none_or(|out| ["ok", "partial", "panic"].contains(&out))
    }

    /// The ids of records, each with its patient's id if it has one.
    pub fn records(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        let records = self.json.get("rec").and_then(Value::as_array).into_iter().flatten();
        records.map(|record| {
            let id = |at: usize| record.get(at).and_then(Value::as_str);
            (id(0), id(1))
        })
    }

    /// The patients, as budgets count them: a record without a subject counts by its own id.
    pub fn patients(&self) -> impl Iterator<Item = &str> {
        self.records().filter_map(|(record, subject)| subject.or(record))
    }

    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.json.get("cls").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// A text of an object in it.
    pub fn inner(&self, name: &str, inner: &str) -> Option<&str> {
        self.json.get(name)?.get(inner)?.as_str()
    }

    fn complete(&mut self, first: &Self) {
        let Some(members) = self.json.as_object_mut() else { return };
        for name in OF_FIRST_LINE {
            if let Some(value) = first.json.get(name) {
                members.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
}

/// So long ago, in Unix milliseconds; 0 without a time.
pub fn since(time: Option<std::time::Duration>) -> u64 {
    let begin = time.map(|time| SystemTime::now().checked_sub(time).unwrap_or(UNIX_EPOCH));
    let begin = begin.and_then(|begin| begin.duration_since(UNIX_EPOCH).ok());
    begin.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Unix milliseconds as people read them.
pub fn shown(ms: u64) -> String {
    time(ms / 1000)
}
