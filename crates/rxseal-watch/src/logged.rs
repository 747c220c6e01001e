//! Events as readers of a log get them: each as a whole, though a large page has several lines.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::chain::ChainId;
use crate::error::{Kind, WatchError};
use crate::sink::Line;

/// What only the first line of a large page has.
const OF_FIRST_LINE: [&str; 6] = ["find", "cls", "key", "out", "err", "bud"];
/// How an event ends in which nothing was opened or done.
const FAILED: [&str; 6] = ["failed", "class_denied", "over_budget", "frozen", "refused", "shredded"];

/// An event that was read from a log, and where it is there. The page "docs/WATCH.md" says which members each kind has.
///
/// A large page has several lines. Each of them is an event of its own here, and has what was opened, by which keys and how it ended, which only the
/// first of its lines says.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    chain: ChainId,
    n: u64,
    time: u64,
    json: Value,
}

impl LoggedEvent {
    pub(crate) fn of(line: &Line) -> Result<Self, WatchError> {
        let malformed = || WatchError::from(Kind::Read).caused_by("a line does not have an event");
        let json: Value = serde_json::from_str(line.json()).map_err(|_| malformed())?;
        let time = json.get("t").and_then(Value::as_u64).ok_or_else(malformed)?;
        json.get("e").filter(|kind| kind.is_string()).ok_or_else(malformed)?;
        Ok(Self { chain: line.chain(), n: line.number(), time, json })
    }

    /// The chain that it is in.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The number of its line in the chain, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.n
    }

    /// When it happened, in Unix milliseconds. Several events may have the same time: what is sorted by it has to keep the order of the log.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Its kind, such as `open`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("e").unwrap_or_default()
    }

    /// A member that is a text, such as `who`.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        self.json.get(member)?.as_str()
    }

    /// A member that is a number, such as `gen`.
    #[must_use]
    pub fn count(&self, member: &str) -> Option<u64> {
        self.json.get(member)?.as_u64()
    }

    /// All members.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Whether somebody may have seen a value. Where an outcome is not known, somebody may.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.kind() == "open" && !self.is_failed()
    }

    /// Whether it is known that nothing was opened or done.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.text("out").is_some_and(|out| FAILED.contains(&out))
    }

    /// The ids of its records, each with its patient's id if it has one.
    pub fn records(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        self.list("rec").map(|record| {
            let id = |at: usize| record.get(at).and_then(Value::as_str);
            (id(0), id(1))
        })
    }

    /// The patients, as budgets count them: a record without a subject counts by its own id. One who has several records comes several times.
    pub fn patients(&self) -> impl Iterator<Item = &str> {
        self.records().filter_map(|(record, subject)| subject.or(record))
    }

    /// The classes of which fields were opened, in alphabetical order.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.json.get("cls").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// The ids of keys: those that were used, that a keyring was unlocked with, or that were changed.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.list("key").filter_map(Value::as_str)
    }

    fn list(&self, member: &str) -> impl Iterator<Item = &Value> {
        self.json.get(member).and_then(Value::as_array).into_iter().flatten()
    }
}

/// What the first line of a page says for its other lines.
struct FirstLine(Vec<(&'static str, Value)>);

impl FirstLine {
    fn of(event: &LoggedEvent) -> Self {
        Self(OF_FIRST_LINE.iter().filter_map(|name| Some((*name, event.json.get(name)?.clone()))).collect())
    }

    fn complete(&self, event: &mut LoggedEvent) {
        let Some(members) = event.json.as_object_mut() else { return };
        for (name, value) in &self.0 {
            members.entry(*name).or_insert_with(|| value.clone());
        }
    }
}

/// The first lines that were read, for the lines that continue them.
#[derive(Default)]
pub(crate) struct FirstLines(HashMap<(ChainId, u64), FirstLine>);

impl FirstLines {
    /// The number of the line that an event continues.
    pub(crate) fn wanted(event: &LoggedEvent) -> Option<u64> {
        event.count("of").filter(|first| *first < event.n)
    }

    pub(crate) fn keep(&mut self, event: &LoggedEvent) {
        self.0.insert((event.chain, event.n), FirstLine::of(event));
    }

    /// The event of a line, of a log that is read from its first line to its last. The lines of a page are one behind the other.
    pub(crate) fn next(&mut self, line: &Line) -> Result<LoggedEvent, WatchError> {
        let mut event = LoggedEvent::of(line)?;
        if Self::wanted(&event).is_some() {
            self.complete(&mut event);
        } else {
            self.0.clear();
            // A page of several lines has more than one record in the first.
            if event.list("rec").nth(1).is_some() {
                self.keep(&event);
            }
        }
        Ok(event)
    }

    pub(crate) fn complete(&self, event: &mut LoggedEvent) {
        if let Some(first) = Self::wanted(event).and_then(|first| self.0.get(&(event.chain, first))) {
            first.complete(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u64, json: &str) -> Line {
        Line::new(ChainId::parse("7f3a9c0e5b1d2468").unwrap(), n, format!("hash {json}"))
    }

    fn event(json: &str) -> LoggedEvent {
        LoggedEvent::of(&line(1, json)).unwrap()
    }

    #[test]
    fn what_a_line_says() {
        let event = event(
            r#"{"n":1,"t":1764000000412,"m":412,"e":"open","who":"user:kim","rec":[["RX-1","pat-8"],["RX-2",null]],"cls":{"medication":2},"key":["q3Zk81Ab"],"out":"ok"}"#,
        );
        assert_eq!((event.time(), event.kind(), event.text("who")), (1_764_000_000_412, "open", Some("user:kim")));
        assert_eq!((event.count("m"), event.text("m"), event.count("who")), (Some(412), None, None));
        assert!(event.records().eq([(Some("RX-1"), Some("pat-8")), (Some("RX-2"), None)]));
        assert!(event.patients().eq(["pat-8", "RX-2"]) && event.classes().eq(["medication"]));
        assert!(event.keys().eq(["q3Zk81Ab"]));
    }

    /// Undecided before safe.
    #[test]
    fn what_is_not_known_counts_as_seen() {
        for (out, is_seen) in [
            (r#","out":"ok""#, true),
            (r#","out":"partial""#, true),
            (r#","out":"panic""#, true),
            (r#","out":"of a later version""#, true),
            ("", true),
            (r#","out":"failed""#, false),
            (r#","out":"over_budget""#, false),
            (r#","out":"shredded""#, false),
        ] {
            assert_eq!(event(&format!(r#"{{"n":1,"t":1,"m":0,"e":"open"{out}}}"#)).is_seen(), is_seen, "{out}");
        }
        assert!(!event(r#"{"n":1,"t":1,"m":0,"e":"index","out":"ok"}"#).is_seen());
    }

    #[test]
    fn a_line_without_an_event_is_refused() {
        for bad in ["", "[]", "null", r#"{"n":1,"e":"stop"}"#, r#"{"n":1,"t":-1,"e":"stop"}"#, r#"{"n":1,"t":1,"e":2}"#]
        {
            assert_eq!(LoggedEvent::of(&line(1, bad)).unwrap_err().code(), "not-read", "{bad}");
        }
    }

    #[test]
    fn lines_of_a_page_get_what_its_first_line_says() {
        let mut lines = FirstLines::default();
        let mut next = |n, json: &str| lines.next(&line(n, json)).unwrap();
        let first = r#"{"n":4,"t":1,"m":0,"e":"open","rec":[[null,null],[null,null]],"cls":{"medication":3},"out":"over_budget"}"#;
        next(4, first);
        for n in [5, 6] {
            let event = next(n, &format!(r#"{{"n":{n},"t":1,"m":0,"e":"open","rec":[["RX-3",null]],"of":4}}"#));
            assert!(event.classes().eq(["medication"]) && !event.is_seen());
        }
        // Of another page, or of a line that comes later, it says nothing.
        let event = next(7, r#"{"n":7,"t":1,"m":0,"e":"open","rec":[["RX-3",null]],"of":3}"#);
        assert!(event.classes().next().is_none() && event.is_seen());
        let event = next(8, r#"{"n":8,"t":1,"m":0,"e":"open","rec":[["RX-3",null]],"of":8}"#);
        assert!(event.classes().next().is_none());
    }
}
