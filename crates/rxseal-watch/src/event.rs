//! What is in a log: events, and the one function that writes their JSON.

mod entry;
mod json;

pub(crate) use entry::{Entry, Opened, Outcome, Who, write_opened};
use json::Object;

use crate::chain::{ChainId, Hash, hash_text, hex};

/// The most records of one line, and the longest text of them. What is more goes into further lines.
const MAX_RECORDS: usize = 1000;
const MAX_TEXT: usize = 48 * 1024;

/// An event. No value of a field is in any of them.
#[derive(Clone, Copy)]
pub(crate) enum Event<'a> {
    /// A chain begins.
    Start(&'a Start<'a>),
    /// A chain ends, because the program or the chain did.
    Stop { why: Option<&'static str> },
    /// Records were opened, in one line or more.
    Opened(&'a Opened<'a>),
    /// A keyring was unlocked.
    Unlock {
        ks: &'a str,
        generation: u64,
        keys: &'a [String],
        provider: &'a str,
        root: &'a str,
        request: Option<&'a str>,
    },
    /// A root key failed, or no root key unlocked a keyring.
    UnlockFailed { ks: &'a str, provider: Option<&'a str>, root: Option<&'a str>, code: &'a str },
    /// A keyring was dropped.
    Lock { ks: &'a str, generation: u64 },
    /// Keys were changed.
    Admin(Admin<'a>),
    /// An administrative act begins or ends.
    Act(ActEvent<'a>),
    /// A tool ran.
    Ran(RunEvent<'a>),
    /// Somebody looked at lines of a log.
    Review { who: &'a str, why: &'a str, chain: ChainId, lines: (u64, u64) },
    /// A budget was passed, or an actor frozen.
    Budget { what: &'static str, who: &'a str },
    /// Events were lost.
    Gap { lost: u64, from: u64, to: u64, why: &'static str },
    /// The wall clock and the monotonic clock differ by this many milliseconds more than before.
    Clock { by: i64 },
}

/// A change of keys. What it is not about is left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Admin<'a> {
    pub(crate) ks: &'a str,
    pub(crate) what: &'a str,
    pub(crate) generation: Option<u64>,
    pub(crate) key: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    /// Of a reseal: how many records, and how many fields of them.
    pub(crate) records: Option<u64>,
    pub(crate) fields: Option<u64>,
    /// Of a shredded patient: the second at which no backup has the key any more.
    pub(crate) gone: Option<u64>,
}

/// The beginning or the end of an act, with the same id.
#[derive(Clone, Copy)]
pub(crate) struct ActEvent<'a> {
    pub(crate) id: &'a str,
    pub(crate) who: &'a str,
    pub(crate) what: &'a str,
    pub(crate) why: &'a str,
    pub(crate) ks: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) whom: Option<&'a str>,
    pub(crate) out: &'static str,
    pub(crate) code: Option<&'a str>,
}

/// What a tool did. Kind is `scan`, `drill` or `evidence`.
#[derive(Clone, Copy)]
pub(crate) struct RunEvent<'a> {
    pub(crate) kind: &'static str,
    pub(crate) ks: Option<&'a str>,
    pub(crate) who: &'a str,
    pub(crate) what: &'a str,
    pub(crate) map: Option<&'a Hash>,
    pub(crate) numbers: &'a [(&'static str, u64)],
    pub(crate) out: &'a str,
    /// The digest of what it wrote.
    pub(crate) written: Option<&'a Hash>,
}

/// The first line of a chain. What is not known is left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Start<'a> {
    pub(crate) chain: Option<ChainId>,
    pub(crate) svc: &'a str,
    pub(crate) host: &'a str,
    pub(crate) pid: Option<u32>,
    pub(crate) uid: Option<u32>,
    pub(crate) version: Option<&'a str>,
    pub(crate) lag_ms: u64,
    pub(crate) buf: u64,
    pub(crate) copies: Option<u64>,
    pub(crate) budgets: Option<&'a str>,
    pub(crate) prev: Option<Previous>,
}

/// The chain before, as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) chain: ChainId,
    /// The number of its last whole line, and that line's hash.
    pub(crate) n: u64,
    pub(crate) hash: Hash,
    /// The bytes of an unfinished line behind it.
    pub(crate) torn: u64,
    /// How many of its last lines come again, because it is not known whether they are on the disk.
    pub(crate) again: u64,
}

/// Writes the lines of an event, which are more than one only for a large page. `line` makes one of its JSON and gives the next number.
pub(crate) fn write(event: &Event<'_>, first: u64, t: u64, m: u64, mut line: impl FnMut(&[u8]) -> u64) {
    let mut json = Vec::with_capacity(512);
    let Event::Opened(opened) = event else {
        head(&mut json, first, t, m);
        tail(&mut json, event);
        line(&json);
        return;
    };
    let (mut records, mut n, mut is_first) = (opened.records(), first, true);
    loop {
        head(&mut json, n, t, m);
        let mut object = Object::go_on(&mut json);
        opened.write_who(&mut object);
        let all_written = records.write(&mut object, MAX_RECORDS, MAX_TEXT);
        if is_first {
            opened.write_what(&mut object);
        } else {
            object.number("of", first);
        }
        object.end();
        n = line(&json);
        json.clear();
        is_first = false;
        if all_written {
            return;
        }
    }
}

/// What comes behind `m` in the line of any event but an opening: such an event is written where it happens.
pub(crate) fn tail(json: &mut Vec<u8>, event: &Event<'_>) {
    let mut object = Object::go_on(json);
    match *event {
        Event::Start(start) => write_start(&mut object, start),
        Event::Stop { why } => {
            object.text("e", "stop");
            object.texts("why", why);
        }
        // Written by `write`, which may need more than one line.
        Event::Opened(_) => {}
        Event::Unlock { ks, generation, keys, provider, root, request } => {
            object.text("e", "unlock");
            object.text("ks", ks);
            object.number("gen", generation);
            object.list("key", keys.iter().map(String::as_str));
            object.text("prov", provider);
            object.text("root", root);
            object.texts("req", request);
        }
        Event::UnlockFailed { ks, provider, root, code } => {
            object.text("e", "unlock_failed");
            object.text("ks", ks);
            object.texts("prov", provider);
            object.texts("root", root);
            object.text("code", code);
        }
        Event::Lock { ks, generation } => {
            object.text("e", "lock");
            object.text("ks", ks);
            object.number("gen", generation);
        }
        Event::Admin(Admin { ks, what, generation, key, subject, records, fields, gone }) => {
            object.text("e", "seal_admin");
            object.text("ks", ks);
            object.text("what", what);
            object.numbers("gen", generation);
            object.list("key", key);
            object.texts("sub", subject);
            object.numbers("recs", records);
            object.numbers("fields", fields);
            object.numbers("gone", gone);
        }
        Event::Act(ActEvent { id, who, what, why, ks, key, subject, whom, out, code }) => {
            object.text("e", "act");
            object.text("act", id);
            object.text("who", who);
            object.text("what", what);
            object.text("why", why);
            object.texts("ks", ks);
            object.list("key", key);
            object.texts("sub", subject);
            object.texts("whom", whom);
            object.text("out", out);
            object.texts("code", code);
        }
        Event::Ran(run) => write_run(&mut object, &run),
        Event::Review { who, why, chain, lines: (first, last) } => {
            object.text("e", "review");
            object.text("who", who);
            object.text("why", why);
            object.object("lines", |object| {
                object.shown("chain", Some(chain));
                object.number("n", first);
                object.number("last", last);
            });
        }
        Event::Budget { what, who } => {
            object.text("e", "budget");
            object.text("what", what);
            object.text("who", who);
        }
        Event::Gap { lost, from, to, why } => {
            object.text("e", "gap");
            object.number("lost", lost);
            object.number("from", from);
            object.number("to", to);
            object.text("why", why);
        }
        Event::Clock { by } => {
            object.text("e", "clock");
            object.raw("by", &by.to_string());
        }
    }
    object.end();
}

fn write_start(object: &mut Object<'_>, start: &Start<'_>) {
    object.text("e", "start");
    object.shown("chain", start.chain);
    object.text("svc", start.svc);
    object.text("host", start.host);
    object.numbers("pid", start.pid.map(u64::from));
    object.numbers("uid", start.uid.map(u64::from));
    object.texts("version", start.version);
    object.number("lag_ms", start.lag_ms);
    object.number("buf", start.buf);
    object.numbers("copies", start.copies);
    object.texts("bud", start.budgets);
    if let Some(prev) = start.prev {
        object.object("prev", |object| {
            object.shown("chain", Some(prev.chain));
            object.number("n", prev.n);
            object.text("h", &hash_text(&prev.hash));
            object.numbers("torn", Some(prev.torn).filter(|torn| *torn > 0));
            object.numbers("again", Some(prev.again).filter(|again| *again > 0));
        });
    }
}

fn write_run(object: &mut Object<'_>, run: &RunEvent<'_>) {
    let RunEvent { kind, ks, who, what, map, numbers, out, written } = *run;
    object.text("e", kind);
    object.texts("ks", ks);
    object.text("who", who);
    object.text("what", what);
    object.texts("map", map.map(hex).as_deref());
    if !numbers.is_empty() {
        object.object("num", |object| numbers.iter().for_each(|(name, number)| object.number(name, *number)));
    }
    object.text("out", out);
    object.texts("sha256", written.map(hex).as_deref());
}

/// A line of an event whose tail was written before.
pub(crate) fn write_tail(tail: &[u8], n: u64, t: u64, m: u64) -> Vec<u8> {
    let mut json = Vec::with_capacity(tail.len().saturating_add(80));
    head(&mut json, n, t, m);
    json.extend_from_slice(tail);
    json
}

fn head(json: &mut Vec<u8>, n: u64, t: u64, m: u64) {
    let mut object = Object::begin(json);
    object.number("n", n);
    object.number("t", t);
    object.number("m", m);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: &Event<'_>, n: u64, t: u64, m: u64) -> String {
        let mut lines = Vec::new();
        write(event, n, t, m, |json| {
            lines.push(String::from_utf8(json.to_vec()).unwrap());
            n + 1
        });
        lines.concat()
    }

    #[test]
    fn the_lines_of_the_vector() {
        let start = Start {
            chain: ChainId::parse("7f3a9c0e5b1d2468"),
            svc: "fulfil-api",
            host: "ph17-a",
            lag_ms: 5,
            buf: 4096,
            ..Start::default()
        };
        assert_eq!(
            text(&Event::Start(&start), 0, 1_764_000_000_000, 0),
            r#"{"n":0,"t":1764000000000,"m":0,"e":"start","chain":"7f3a9c0e5b1d2468","svc":"fulfil-api","host":"ph17-a","lag_ms":5,"buf":4096}"#
        );
        assert_eq!(
            text(&Event::Stop { why: None }, 2, 1_764_000_001_000, 1000),
            r#"{"n":2,"t":1764000001000,"m":1000,"e":"stop"}"#
        );
    }

    #[test]
    fn other_events() {
        let prev =
            Previous { chain: ChainId::parse("00000000000000ff").unwrap(), n: 7, hash: [0; 32], torn: 3, again: 0 };
        let start = Start { svc: "a\"b", prev: Some(prev), ..Start::default() };
        assert_eq!(
            text(&Event::Start(&start), 0, 1, 0),
            r#"{"n":0,"t":1,"m":0,"e":"start","svc":"a\"b","host":"","lag_ms":0,"buf":0,"prev":{"chain":"00000000000000ff","n":7,"h":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","torn":3}}"#
        );
        let keys = ["q3Zk81Ab".to_owned()];
        let unlock = Event::Unlock {
            ks: "ph",
            generation: 2,
            keys: &keys,
            provider: "aws-kms",
            root: "arn",
            request: Some("r1"),
        };
        assert_eq!(
            text(&unlock, 1, 2, 3),
            r#"{"n":1,"t":2,"m":3,"e":"unlock","ks":"ph","gen":2,"key":["q3Zk81Ab"],"prov":"aws-kms","root":"arn","req":"r1"}"#
        );
        assert_eq!(text(&Event::Clock { by: -7000 }, 1, 2, 3), r#"{"n":1,"t":2,"m":3,"e":"clock","by":-7000}"#);
        let chain = ChainId::parse("00000000000000ff").unwrap();
        let review = Event::Review { who: "user:lee", why: "it was needed", chain, lines: (3, 4) };
        assert_eq!(
            text(&review, 1, 2, 3),
            r#"{"n":1,"t":2,"m":3,"e":"review","who":"user:lee","why":"it was needed","lines":{"chain":"00000000000000ff","n":3,"last":4}}"#
        );
        let gap = Event::Gap { lost: 2, from: 3, to: 4, why: "full" };
        assert_eq!(text(&gap, 1, 2, 3), r#"{"n":1,"t":2,"m":3,"e":"gap","lost":2,"from":3,"to":4,"why":"full"}"#);
        let key = Some("q3Zk81Ab");
        let promoted = Admin { ks: "ph", what: "promoted", generation: Some(3), key, ..Admin::default() };
        assert_eq!(
            text(&Event::Admin(promoted), 1, 2, 3),
            r#"{"n":1,"t":2,"m":3,"e":"seal_admin","ks":"ph","what":"promoted","gen":3,"key":["q3Zk81Ab"]}"#
        );
        let resealed = Admin { ks: "ph", what: "resealed", key, records: Some(2), fields: Some(5), ..Admin::default() };
        assert_eq!(
            text(&Event::Admin(resealed), 1, 2, 3),
            r#"{"n":1,"t":2,"m":3,"e":"seal_admin","ks":"ph","what":"resealed","key":["q3Zk81Ab"],"recs":2,"fields":5}"#
        );
        let numbers = [("sources", 2), ("found", 0)];
        let run = RunEvent {
            kind: "scan",
            ks: None,
            who: "user:lee",
            what: "sources",
            map: Some(&[0xAB; 32]),
            numbers: &numbers,
            out: "clean",
            written: Some(&[1; 32]),
        };
        let (map, written) = ("ab".repeat(32), "01".repeat(32));
        assert_eq!(
            text(&Event::Ran(run), 1, 2, 3),
            format!(
                r#"{{"n":1,"t":2,"m":3,"e":"scan","who":"user:lee","what":"sources","map":"{map}","num":{{"sources":2,"found":0}},"out":"clean","sha256":"{written}"}}"#
            )
        );
        let bare = RunEvent { kind: "drill", ks: Some("ph"), map: None, numbers: &[], written: None, ..run };
        assert_eq!(
            text(&Event::Ran(bare), 1, 2, 3),
            r#"{"n":1,"t":2,"m":3,"e":"drill","ks":"ph","who":"user:lee","what":"sources","out":"clean"}"#
        );
        let act = ActEvent {
            id: "00000000000000ff",
            who: "user:lee",
            what: "subject-shred",
            why: "asked for \"erasure\"",
            ks: Some("ph"),
            key: None,
            subject: Some("pat-7"),
            whom: None,
            out: "failed",
            code: Some("subject-retained"),
        };
        assert_eq!(
            text(&Event::Act(act), 1, 2, 3),
            r#"{"n":1,"t":2,"m":3,"e":"act","act":"00000000000000ff","who":"user:lee","what":"subject-shred","why":"asked for \"erasure\"","ks":"ph","sub":"pat-7","out":"failed","code":"subject-retained"}"#
        );
    }
}
