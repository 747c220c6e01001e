//! Counts tokens by key over the same values: in Rust, and by the statement for SQLite. `tests/live/postgres.rs` does
//! it for PostgreSQL.

use std::path::PathBuf;

use crate::column::{self, Value, key_ids, values};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use rxseal::count::{CountSql, KeyCounts, count_by_key};
use rxseal::keys::{KeyUse, RemainingUse};
use rxseal::{Keyring, run_local};
use rxseal_sqlite::count_sqlite;

const ROWS: usize = 10_000;

#[test]
fn sqlite_counts_what_rust_counts() {
    let home = Folder::new("equal");
    let column = values(ROWS);
    // In each encoding of SQLite, with a collation that would take lower case for upper case.
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let path = home.0.join(encoding);
        let mut db = Connection::open(&path).unwrap();
        db.pragma_update(None, "encoding", encoding).unwrap();
        db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug COLLATE NOCASE)").unwrap();
        let change = db.transaction().unwrap();
        for value in &column {
            change.execute("INSERT INTO rx (drug) VALUES (?1)", [cell(value)]).unwrap();
        }
        change.commit().unwrap();
        let before = std::fs::read(&path).unwrap();
        let counts = count_sqlite(&path, "rx", "drug").unwrap();
        assert_eq!(counts, with_nulls(&counts, expected(&column)), "{encoding}");
        assert_eq!(by_statement(&db, "rx", "drug"), rows_of(&counts), "{encoding}");
        assert_eq!(counts.total() + counts.nulls() + counts.not_tokens(), ROWS as u64);
        assert!(counts.nulls() > 0 && counts.not_tokens() > 0 && counts.iter().count() >= 4);
        assert_eq!(count_sqlite(&path, "main.rx", "drug").unwrap(), counts);
        assert_eq!(std::fs::read(&path).unwrap(), before, "nothing was written");
        one_scan(&db);
        index_roots_never_appear(&counts);
    }
}

/// `expected` knows the nulls apart; the counts of Rust have no way to add one.
fn with_nulls(counts: &KeyCounts, (tokens, nulls): (KeyCounts, u64)) -> KeyCounts {
    assert_eq!(counts.nulls(), nulls);
    assert_eq!(tokens.iter().collect::<Vec<_>>(), counts.iter().collect::<Vec<_>>());
    assert_eq!(tokens.not_tokens(), counts.not_tokens());
    assert_eq!(tokens.not_sealed(), counts.not_sealed());
    counts.clone()
}

/// What the statement itself answers, which a person may run anywhere.
fn by_statement(db: &Connection, table: &str, column: &str) -> Vec<(String, u64)> {
    let sql = CountSql::sqlite(table, column).unwrap();
    let mut statement = db.prepare(sql.as_str()).unwrap();
    let rows: Vec<_> = statement
        .query_map((), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    column::with_joined(rows)
}

fn rows_of(counts: &KeyCounts) -> Vec<(String, u64)> {
    column::rows_of(counts)
}

/// What Rust counts, and the nulls.
fn expected(column: &[Value]) -> (KeyCounts, u64) {
    let nulls = column.iter().filter(|value| matches!(value, Value::Null)).count();
    let bytes = column.iter().filter_map(|value| match value {
        Value::Null => None,
        Value::Text(text) => Some(text.as_bytes()),
        Value::Bytes(bytes) => Some(bytes.as_slice()),
    });
    (count_by_key(bytes), nulls as u64)
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Bytes(bytes) => Cell::Blob(bytes.clone()),
    }
}

fn one_scan(db: &Connection) {
    let sql = CountSql::sqlite("rx", "drug").unwrap();
    let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps: Vec<String> = plan.query_map((), |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
    let scans = steps.iter().filter(|step| step.split(' ').any(|word| word == "v" || word == "rx")).count();
    assert_eq!(scans, 1, "{steps:?}");
}

fn index_roots_never_appear(counts: &KeyCounts) {
    for (file, _) in key_ids() {
        for key in file.keys() {
            assert_eq!(counts.of(key.id()) > 0, key.usage() == KeyUse::Seal, "{key:?}");
        }
    }
}

#[test]
fn numbers_and_odd_texts_are_no_tokens() {
    let home = Folder::new("odd");
    let path = home.0.join("odd.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE rx (drug)").unwrap();
    let good = column::tokens()[0].to_string();
    let bad = [
        Cell::Integer(42),
        Cell::Real(0.5),
        Cell::Text(format!("{good}\0")),
        Cell::Text(format!("{good}\0tail")),
        Cell::Text(format!("{}\n", &good[..40])),
        Cell::Text(good.to_uppercase()),
        Cell::Blob(good.clone().into_bytes()),
        Cell::Text(format!("rxsä{}", &good[1..])),
    ];
    for cell in &bad {
        db.execute("INSERT INTO rx VALUES (?1)", [cell]).unwrap();
    }
    db.execute("INSERT INTO rx VALUES (CAST(?1 AS TEXT))", [column::tokens()[0].as_bytes()]).unwrap();
    let counts = count_sqlite(&path, "rx", "drug").unwrap();
    assert_eq!((counts.total(), counts.not_tokens()), (0, bad.len() as u64 + 1));
    assert_eq!(by_statement(&db, "rx", "drug"), rows_of(&counts));
}

/// The form in which most records are kept: derived, written as JSON, in a text column.
#[test]
fn tokens_in_documents_are_counted() {
    let home = Folder::new("documents");
    let [first, second, third] = [0, 3, 5].map(|at| column::tokens()[at].to_string());
    let documents = [
        format!(
            r#"{{"id":7,"drug":"{first}","prices":{{"net":"{second}","tax":null}},"notes":["{third}","{third}"]}}"#
        ),
        // Escapes before it, a document in a document, other formats, letters that only look like a token's.
        format!(r#"{{"note":"rxs rxsY rxrxs\n{first}\u00e4{second}","raw":"{{\"drug\":\"{third}\"}}"}}"#),
        format!("7,{first},{second}\r\n8,{third}\rxs,ä{first}"),
        format!("{first}\n"),
        format!("id-{first}"),
        // One that was cut off, beside one that was not; none at all; as it stands in memory.
        format!(r#"{{"drug":"{first}","price":"{}"}}"#, &second[..40]),
        r#"{"id":8,"drug":null}"#.to_owned(),
        String::new(),
    ];
    let counted = count_by_key(&documents);
    assert_eq!((counted.total(), counted.not_tokens()), (4 + 3 + 4 + 1 + 1 + 1, 1 + 1 + 1));
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let path = home.0.join(encoding);
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "encoding", encoding).unwrap();
        db.execute_batch("CREATE TABLE rx (doc COLLATE NOCASE)").unwrap();
        for document in &documents {
            db.execute("INSERT INTO rx VALUES (?1)", [document]).unwrap();
        }
        assert_eq!(count_sqlite(&path, "rx", "doc").unwrap(), counted, "{encoding}");
        // In bytes nothing is looked for: somebody has to look.
        db.execute("INSERT INTO rx VALUES (?1)", [documents[0].as_bytes()]).unwrap();
        let mut binary = vec![7, 0, 0, 0];
        binary.extend_from_slice(column::tokens()[0].as_bytes());
        db.execute("INSERT INTO rx VALUES (?1)", [binary]).unwrap();
        let counts = count_sqlite(&path, "rx", "doc").unwrap();
        assert_eq!(counts.not_tokens(), counted.not_tokens() + 2);
        assert_eq!(by_statement(&db, "rx", "doc"), rows_of(&counts), "{encoding}");
    }
}

/// A token is found in any text, and a cell is sealed only if it is a token and nothing else. These are two questions.
#[test]
fn a_cell_is_sealed_only_if_all_of_it_is_one_token() {
    let home = Folder::new("whole");
    let path = home.0.join("rx.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE rx (drug)").unwrap();
    let token = &column::tokens()[0];
    let tag = column::all().iter().find(|one| one.bytes.len() == 48).unwrap();
    let sealed = [
        Cell::Text(token.to_string()),
        Cell::Blob(token.as_bytes().to_vec()),
        Cell::Text(tag.text.clone()),
        Cell::Blob(tag.bytes.clone()),
    ];
    let others = [
        (format!("see {token} for Jane Doe"), 1, 0),
        (format!(" {token}"), 1, 0),
        (format!("{token}\n"), 1, 0),
        (format!("{token},{token}"), 2, 0),
        (format!("[\"{token}\"]"), 1, 0),
        (format!("{token} rx RX"), 1, 0),
        (format!("{token} rxsX of the week"), 1, 1),
        (token.to_string()[1..].to_owned(), 0, 1),
        ("Jane Doe".to_owned(), 0, 1),
        ("rx 7".to_owned(), 0, 1),
        (String::new(), 0, 1),
    ];
    let others = others.into_iter().map(|(text, tokens, plain)| (Cell::Text(text), tokens, plain));
    let numbers = [(Cell::Integer(7), 0, 1), (Cell::Blob(token.to_string().into_bytes()), 0, 1)];
    for (cell, tokens, plain, not_sealed) in sealed
        .into_iter()
        .map(|cell| (cell, 1, 0, 0))
        .chain(others.chain(numbers).map(|(cell, tokens, plain)| (cell, tokens, plain, 1)))
    {
        db.execute("DELETE FROM rx", ()).unwrap();
        db.execute("INSERT INTO rx VALUES (?1)", [&cell]).unwrap();
        let counts = count_sqlite(&path, "rx", "drug").unwrap();
        let found = (counts.total(), counts.not_tokens(), counts.not_sealed());
        assert_eq!(found, (tokens, plain, not_sealed), "{cell:?}");
        assert_eq!(by_statement(&db, "rx", "drug"), rows_of(&counts), "{cell:?}");
    }
}

/// FORMAT 6.4: a text token ends where a character is that none has. What is joined by others is seen all the same, or something is
/// said.
#[test]
fn joined_tokens_are_never_silent() {
    let cases = std::env::var("RXSEAL_CASES").map_or(2_000, |cases| cases.parse().unwrap());
    let (mut counted, mut reported) = (0, 0);
    for (text, placed) in column::joined_texts(cases) {
        let counts = count_by_key([&text]);
        for (key, count) in &placed {
            assert!(counts.of(*key) >= *count || counts.not_tokens() > 0, "{key} {count} {counts:?}: {text:?}");
        }
        if counts.not_tokens() == 0 {
            counted += 1
        } else {
            reported += 1
        }
        for (bytes, placed) in column::joined_bytes(&placed) {
            let counts = count_by_key([&bytes]);
            for (key, count) in &placed {
                assert!(counts.of(*key) >= *count, "{key} {count} {counts:?}");
            }
        }
    }
    println!("{counted} counted, {reported} reported");
    assert!(counted > cases / 10 && reported > cases / 10);
}

/// Each shape on its own, with what is said of it.
#[test]
fn what_cannot_be_told_apart_is_said() {
    let [first, second] = [0, 8].map(|at| &column::tokens()[at]);
    let (one, other) = (first.key_id(), second.key_id());
    assert_ne!(one, other);
    let of = |text: &str| {
        let counts = count_by_key([text]);
        (counts.of(one), counts.of(other), counts.not_tokens())
    };
    assert_eq!(of(&format!("{first},{second}")), (1, 1, 0));
    for separator in ["-", "_", "", "a", "-item-", "7"] {
        let (ours, theirs, not_tokens) = of(&format!("{first}{separator}{second}"));
        assert!(theirs == 1 && (ours == 1 || not_tokens > 0), "{separator:?}: {ours} {not_tokens}");
        // With its own: two, and not one.
        let (ours, _, not_tokens) = of(&format!("{first}{separator}{first}"));
        assert!(ours == 2 || not_tokens > 0, "{separator:?}: {ours} {not_tokens}");
        // Three.
        let (ours, theirs, not_tokens) = of(&format!("{first}{separator}{second}{separator}{first}"));
        assert!(theirs == 1 && (ours == 2 || not_tokens > 0), "{separator:?}: {ours} {not_tokens}");
    }
    assert_eq!(count_by_key([format!("{first}_{second}")]).joined().collect::<Vec<_>>(), [(other, 1)]);
    // A beginning of one before it.
    assert_eq!(of(&format!("rxsX{first}")).0, 1);
    assert_eq!(of(&format!("rxsrxs{first}")).0, 1);

    // Beside one that is whole: what was changed is said.
    let text = first.to_string();
    let escape = |from: &str, to: &str| text.replacen(from, to, 1);
    for changed in [
        text.to_uppercase(),
        escape("rxs", r"\u0072\u0078\u0073"),
        escape("rxs", r"\x72\x78\x73"),
        escape("rxs", "%72%78%73"),
        escape("rxs", "&#114;&#120;&#115;"),
        escape("rxs", "&#x72;&#x78;&#x73;"),
        escape("rxs", "r\nxs"),
        escape("rxs", "rx\r\ns"),
        escape("rxs", "rxs=\r\n"),
        // Too little is left of it.
        escape(&text[10..], r"\u002d"),
        escape(&text[10..], "\n"),
        escape(&text[40..], "..."),
        escape(&text[4..12], "%2D"),
    ] {
        let (ours, theirs, not_tokens) = of(&format!(r#"{{"a":"{second}","b":"{changed}"}}"#));
        assert_eq!((ours, theirs, not_tokens), (0, 1, 1), "{changed:?}");
    }
    // A record tag is under a key too: in its own column, in a document, and changed beside one that is whole.
    let tag = column::all().iter().find(|one| one.key == first.key_id() && one.bytes.len() == 48).unwrap();
    assert_eq!((of(&tag.text), count_by_key([&tag.bytes]).of(one)), ((1, 0, 0), 1));
    assert_eq!(of(&format!(r#"{{"a":"{second}","tag":"{}"}}"#, tag.text)), (1, 1, 0));
    assert_eq!(of(&tag.text[..63]), (0, 0, 1));
    let escape = |from: &str, to: &str| tag.text.replacen(from, to, 1);
    for changed in [
        tag.text.to_uppercase(),
        escape("rxr", r"\u0072\u0078\u0072"),
        escape("rxr", "&#114;&#120;&#114;"),
        escape("rxr", "r\nxr"),
        escape("rxr", "rx\r\nr"),
        escape("rxr", "rxr=\r\n"),
        escape(&tag.text[40..], "..."),
    ] {
        let (ours, theirs, not_tokens) = of(&format!(r#"{{"a":"{second}","b":"{changed}"}}"#));
        assert_eq!((ours, theirs, not_tokens), (0, 1, 1), "{changed:?}");
    }
    // Broken further on, its key is still there to be read.
    for broken in ["\n", "=\n", r"\u002d", "&#45;", "%2D", r"\/"] {
        for at in 20..text.len() {
            let (ours, _, not_tokens) = of(&format!("{second} {}{broken}{}", &text[..at], &text[at..]));
            assert!(ours == 1 || not_tokens > 0, "{broken:?} at {at}");
        }
    }
    // In lower case it is under a key that nobody has.
    let lower = count_by_key([format!("{second} {}", text.to_lowercase())]);
    assert!(lower.not_tokens() > 0 || lower.iter().count() == 2);
    // As long as a column lets it be.
    let long = format!("{first},{first},{first},{second}");
    for at in 0..long.len() {
        let counts = count_by_key([&long[..at]]);
        let whole = long[..at].matches(&text).count() as u64;
        assert!(counts.of(one) >= whole, "{at}");
    }
    // No prose is taken for one.
    for prose in ["Call about the rx\nscheduled for Monday", "rx\nscreening", "RXSCAN 7", "5%72 tablets", "r\nxsc"] {
        assert_eq!(of(&format!("{first} {prose}")), (1, 0, 0), "{prose:?}");
    }
}

/// A wrapped subject key is under a DEK too, and with that it is lost. Where it is kept beside tokens, no count may be silent about it.
#[test]
fn a_wrapped_subject_key_beside_a_token_is_said() {
    let (file, roots) = &key_ids()[0];
    let keys = run_local(Keyring::unlock(file.keyspace(), roots, file)).unwrap().unobserved();
    let (_, wrapped) = keys.create_subject_key("P-7").unwrap();
    let token = &column::tokens()[8];
    assert_ne!(token.key_id(), wrapped.key_id());
    let texts = [
        format!(r#"{{"drug":"{token}","subject_key":"{wrapped}"}}"#),
        format!("{wrapped},{token}"),
        format!("{token}\n{wrapped}"),
        format!("{token} {wrapped}-and more"),
    ];
    let silent = [
        // Too short to be one, or in the middle of other letters.
        format!("{token} {}", &wrapped.to_string()[..107]),
        format!("{token} rxkx"),
        format!("{token}{wrapped}"),
    ];
    let home = Folder::new("wrapped");
    let path = home.0.join("rx.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE rx (drug)").unwrap();
    for (text, doubtful) in texts.iter().map(|text| (text, 1)).chain(silent.iter().map(|text| (text, 0))) {
        let counts = count_by_key([text]);
        if doubtful == 1 {
            assert_eq!((counts.of(token.key_id()), counts.not_tokens()), (1, 1), "{text}");
            let still = RemainingUse::counted([&counts], key_ids()[1].0.keys(), wrapped.key_id(), 0, None);
            assert_eq!(still.unwrap_err().code().as_str(), "key-in-use", "{text}");
        }
        db.execute("DELETE FROM rx", ()).unwrap();
        db.execute("INSERT INTO rx VALUES (?1)", [text]).unwrap();
        assert_eq!(count_sqlite(&path, "rx", "drug").unwrap(), counts, "{text}");
        assert_eq!(by_statement(&db, "rx", "drug"), rows_of(&counts), "{text}");
    }
}

/// The three counters answer alike of what is hardest.
#[test]
fn sqlite_sees_what_rust_sees_of_joined_tokens() {
    let home = Folder::new("joined");
    let mut cells: Vec<_> = Vec::new();
    for (text, placed) in column::joined_texts(400) {
        cells.push(Cell::Text(text));
        cells.extend(column::joined_bytes(&placed).into_iter().map(|(bytes, _)| Cell::Blob(bytes)));
    }
    for encoding in ["UTF-8", "UTF-16le"] {
        let path = home.0.join(encoding);
        let mut db = Connection::open(&path).unwrap();
        db.pragma_update(None, "encoding", encoding).unwrap();
        db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, doc COLLATE NOCASE)").unwrap();
        let change = db.transaction().unwrap();
        for cell in &cells {
            change.execute("INSERT INTO rx (doc) VALUES (?1)", [cell]).unwrap();
        }
        change.commit().unwrap();
        let counts = count_sqlite(&path, "rx", "doc").unwrap();
        let rust = count_by_key(cells.iter().map(|cell| match cell {
            Cell::Text(text) => text.as_bytes(),
            Cell::Blob(bytes) => bytes,
            _ => unreachable!(),
        }));
        assert_eq!(counts, rust);
        assert!(counts.iter().any(|(key, _)| counts.of(key) > 0) && counts.not_tokens() > 0);
        if by_statement(&db, "rx", "doc") != rows_of(&counts) {
            for cell in &cells {
                db.execute_batch("CREATE TABLE IF NOT EXISTS one (doc); DELETE FROM one").unwrap();
                db.execute("INSERT INTO one VALUES (?1)", [cell]).unwrap();
                let counts = count_sqlite(&path, "one", "doc").unwrap();
                assert_eq!(by_statement(&db, "one", "doc"), rows_of(&counts), "{cell:?}");
            }
            panic!("together they differ");
        }
    }
}

#[test]
fn names_are_never_sql() {
    let home = Folder::new("names");
    let path = home.0.join("names.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        r#"CREATE TABLE rx (drug TEXT); INSERT INTO rx VALUES ('warfarin');
           CREATE TABLE "a.b" ("select"" FROM" TEXT); INSERT INTO "a.b" VALUES ('x'), ('y');"#,
    )
    .unwrap();
    assert_eq!(count_sqlite(&path, r#""a.b""#, r#"select" FROM"#).unwrap().not_tokens(), 2);
    for (table, column) in [
        ("rx\"; DROP TABLE rx; --", "drug"),
        ("rx; DROP TABLE rx", "drug"),
        ("rx", "drug\" AS c FROM rx; DROP TABLE rx; --"),
        ("rx", "drug; DROP TABLE rx"),
        ("rx", "*"),
        ("rx", "1"),
        ("(SELECT 1)", "drug"),
        ("rx AS v", "drug"),
        ("rx' OR '1'='1", "drug"),
        ("", "drug"),
        ("rx", ""),
        ("rx\0", "drug"),
        // In SQLite a quoted name that is no column is a text, unless it is named with its table.
        ("rx", "nothing"),
        ("nothing", "drug"),
        ("nothing.rx", "drug"),
    ] {
        let error = count_sqlite(&path, table, column).unwrap_err();
        let code = error.code().as_str();
        assert!(["invalid-id", "store-refused"].contains(&code), "{table} {column}: {error:?}");
        if let Some(cause) = std::error::Error::source(&error).map(ToString::to_string) {
            let about = if table == "rx" { column } else { table.trim_matches('"') };
            assert!(
                (cause.contains("no table") || cause.contains("has no column")) && cause.contains(about),
                "{about}: {cause}"
            );
            assert!(!cause.contains('\n') && cause.len() < 200, "one line: {cause}");
        }
    }
    assert_eq!(count_sqlite(&path, "rx", "drug").unwrap().not_tokens(), 1);
}

#[test]
fn files_that_cannot_be_counted() {
    let home = Folder::new("files");
    let text = home.0.join("notes.txt");
    std::fs::write(&text, "Jane Doe ".repeat(500)).unwrap();
    for path in [text, home.0.join("missing.db"), home.0.clone()] {
        assert_eq!(count_sqlite(&path, "rx", "drug").unwrap_err().code().as_str(), "store-refused", "{path:?}");
    }
    assert!(!home.0.join("missing.db").exists());
}

#[test]
fn counts_add_up() {
    let tokens = column::tokens();
    let mut all = count_by_key(tokens);
    let mut halves = count_by_key(&tokens[..2]);
    halves.merge(&count_by_key(tokens[2..].iter().map(ToString::to_string)));
    assert_eq!(all.iter().collect::<Vec<_>>(), halves.iter().collect::<Vec<_>>());
    assert_eq!((all.not_tokens(), all.nulls()), (halves.not_tokens(), halves.nulls()));
    assert_eq!(all.total(), tokens.len() as u64);
    all.add("Jane Doe");
    all.add([0xAF, 0x1B, 0x17]);
    assert_eq!((all.total(), all.not_tokens(), all.nulls()), (tokens.len() as u64, 2, 0));
    assert!(all.iter().map(|(key, _)| key).is_sorted());
    assert!(!format!("{all:?}").contains("Jane"));
}

pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rxseal-count-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
