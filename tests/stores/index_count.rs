//! Counts index values by prefix over the same values: in Rust, and by the statement for SQLite. `tests/live/postgres.rs` does it for
//! PostgreSQL.

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params};
use rxseal::count::{CountSql, IndexCounts};
use rxseal_sqlite::count_index_sqlite;

use crate::column::Value;
use crate::count::Folder;
use crate::index_cells::index_cells;

#[test]
fn sqlite_counts_the_index_values_that_rust_counts() {
    let home = Folder::new("index-values");
    let (cells, expected) = index_cells();
    for encoding in ["UTF-8", "UTF-16le"] {
        let path = home.0.join(encoding);
        let mut db = Connection::open(&path).unwrap();
        db.pragma_update(None, "encoding", encoding).unwrap();
        db.execute_batch("CREATE TABLE patient (born_ix COLLATE NOCASE)").unwrap();
        let change = db.transaction().unwrap();
        for cell in &cells {
            let cell = match cell {
                Value::Text(text) => Cell::Text(text.clone()),
                Value::Bytes(bytes) => Cell::Blob(bytes.clone()),
                Value::Null => Cell::Null,
            };
            change.execute("INSERT INTO patient VALUES (?1)", [cell]).unwrap();
        }
        change.commit().unwrap();
        assert_eq!(count_index_sqlite(&path, "patient", "born_ix").unwrap(), expected, "{encoding}");
        assert_eq!(count_index_sqlite(&path, "main.patient", "born_ix").unwrap(), expected, "{encoding}");
    }
}

#[test]
fn what_is_no_index_value_is_said() {
    let home = Folder::new("index-others");
    let path = home.0.join("db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE patient (ix); CREATE TABLE none (ix); CREATE VIEW some AS SELECT ix FROM patient;
         INSERT INTO patient VALUES (7), (1.5), ('null'), ('wLgfnGw' || char(0)), ('[\"wLgfnGw\",null,7]'), ('[]'), ('[\"wLgfnGw\"'), (NULL);",
    )
    .unwrap();
    let counts = count_index_sqlite(&path, "patient", "ix").unwrap();
    assert_eq!((counts.total(), counts.nulls(), counts.not_values()), (1, 2, 7));
    assert_eq!(counts.of(b"\xC0\xB8\x1F"), 1);
    assert!(counts.doubt().is_none());
    assert!(count_index_sqlite(&path, "some", "ix").unwrap().doubt().unwrap().contains("view"));
    assert!(count_index_sqlite(&path, "none", "ix").unwrap().confirmed_empty().is_ok());
    assert_eq!(counts.confirmed_empty().unwrap_err().code().as_str(), "not-counted");
    for (table, column) in [("nothing", "ix"), ("patient", "nothing")] {
        assert_eq!(count_index_sqlite(&path, table, column).unwrap_err().code().as_str(), "store-refused");
    }
    // A value whose prefix spells a word of SQL is one like any other.
    db.execute("INSERT INTO none VALUES (?1), ('nullAAA')", params![b"\x9E\xE9\x65\x00\x00"]).unwrap();
    let counts = count_index_sqlite(&path, "none", "ix").unwrap();
    assert_eq!((counts.of(b"\x9E\xE9\x65"), counts.nulls()), (2, 0));
}

#[test]
fn rows_of_another_statement_are_refused() {
    let mut counts = IndexCounts::default();
    for (prefix, values) in [("null", -1), ("not a token", 1), ("AbCdEf12", 1), ("nul", 1), ("", 1)] {
        assert_eq!(counts.add_row(prefix, values).unwrap_err().code().as_str(), "not-counted", "{prefix}");
    }
    counts.add_row("wLgf", 0).unwrap();
    assert!(counts.clone().confirmed_empty().is_ok(), "a count of 0 is no value");
    assert_eq!(counts, IndexCounts::default());
    for (sql, name) in [(CountSql::index_sqlite("a", ""), "column"), (CountSql::index_postgres("a.b.c", "ix"), "table")]
    {
        assert_eq!(sql.unwrap_err().code().as_str(), "invalid-id", "{name}");
    }
    assert!(CountSql::index_postgres("a", &"c".repeat(64)).is_err());
}
