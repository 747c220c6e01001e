//! Tables that a job must not touch, or only after a look.

use rusqlite::Connection;
use rxseal::columns::{ColumnLen, ColumnSql};

use super::look as preflight;
use crate::preflight::target::TokenColumn;
use crate::preflight::{Flow, Preflight, Target, Weight};
use crate::spec::Padding;

fn look(schema: &str, flow: Flow, written: &[&str]) -> Preflight {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(schema).unwrap();
    let column =
        |name: &&str| TokenColumn { name: (*name).to_owned(), padding: Some(Padding { block: 32, max_len: 60 }) };
    let target = Target {
        keyspace: None,
        table: "rx".to_owned(),
        id: vec!["id".to_owned()],
        read: Vec::new(),
        written: written.iter().map(column).collect(),
        named: Vec::new(),
        flow,
    };
    preflight(&db, &target).map_err(|trouble| trouble.at("test.db".as_ref())).unwrap()
}

fn codes(found: &Preflight) -> Vec<String> {
    found.concerns().iter().map(|concern| concern.answer()).collect()
}

#[test]
fn a_plain_table_has_no_concern() {
    let rows = "INSERT INTO rx SELECT value, 'drug ' || value FROM generate_series(1, 1000)";
    let rows = format!(
        "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT); {}",
        rows.replace("generate_series(1, 1000)", "json_each('[1,2,3]')")
    );
    let found = look(&rows, Flow::Seal, &["drug"]);
    assert_eq!(codes(&found), Vec::<String>::new(), "{found}");
    let estimate = found.estimate().unwrap();
    assert_eq!(estimate.rows(), 3);
    assert!(found.to_string().contains("CREATE TRIGGER \"rxseal_rx_drug_insert\""), "{found}");
    assert!(estimate.size_after() >= estimate.size() + 3 * 80, "{estimate:?}");
    for key in
        ["id TEXT PRIMARY KEY, drug", "id TEXT UNIQUE, drug", "id TEXT PRIMARY KEY, drug ANY) STRICT, WITHOUT ROWID --"]
    {
        let found = look(&format!("CREATE TABLE rx ({key}\n)").replace("--\n)", ""), Flow::Seal, &["drug"]);
        assert_eq!(codes(&found), Vec::<String>::new(), "{key}: {found}");
    }
}

#[test]
fn what_may_not_be_there_is_found() {
    let base = "id INTEGER PRIMARY KEY, drug TEXT";
    for (schema, expected) in [
        ("CREATE TABLE other (id)".to_owned(), "no-table"),
        ("CREATE TABLE t (id, drug); CREATE VIEW rx AS SELECT * FROM t".to_owned(), "not-a-table"),
        ("CREATE VIRTUAL TABLE rx USING fts5(id, drug)".to_owned(), "not-a-table"),
        ("CREATE TABLE rx (id INTEGER, drug TEXT)".to_owned(), "no-key"),
        ("CREATE TABLE rx (id INTEGER, drug TEXT UNIQUE)".to_owned(), "no-key"),
        ("CREATE TABLE rx (id INTEGER, drug TEXT, tenant, UNIQUE (tenant, id))".to_owned(), "shared-id:id"),
        ("CREATE TABLE rx (id INTEGER, drug TEXT); CREATE UNIQUE INDEX i ON rx (id) WHERE id > 5".to_owned(), "no-key"),
        ("CREATE TABLE rx (id INTEGER PRIMARY KEY, drugs TEXT)".to_owned(), "no-column:drug"),
        ("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug INT) STRICT".to_owned(), "column-type:drug"),
        ("CREATE TABLE rx (id INTEGER PRIMARY KEY, a TEXT, drug AS (upper(a)))".to_owned(), "generated:drug"),
        (format!("CREATE TABLE rx ({base}, upper_drug AS (upper(drug)) STORED)"), "generated:upper_drug"),
        (format!("CREATE TABLE rx ({base} REFERENCES drugs (name)); CREATE TABLE drugs (name)"), "foreign-key:rx.drug"),
        (format!("CREATE TABLE rx ({base} UNIQUE); CREATE TABLE b (d REFERENCES rx (drug))"), "foreign-key:b.d"),
        (format!("CREATE TABLE rx ({base} UNIQUE)"), "unique:sqlite_autoindex_rx_1"),
        (format!("CREATE TABLE rx ({base} CHECK (length(drug) < 60))"), "check:drug"),
        (
            format!("CREATE TABLE rx ({base}); CREATE INDEX lower_drug ON rx (lower(drug))"),
            "expression-index:lower_drug",
        ),
        (format!("CREATE TABLE rx ({base}); CREATE INDEX some ON rx (id) WHERE drug > 'a'"), "expression-index:some"),
        (format!("CREATE TABLE rx ({base}); CREATE INDEX by_drug ON rx (drug)"), "index:by_drug"),
        (format!("CREATE TABLE rx ({base}); CREATE VIEW seen AS SELECT r.* FROM rx AS r"), "view:seen"),
        (
            format!("CREATE TABLE rx ({base}); CREATE VIRTUAL TABLE words USING fts5(drug, content='rx')"),
            "full-text:words",
        ),
    ] {
        let found = look(&schema, Flow::Seal, &["drug"]);
        assert!(codes(&found).contains(&expected.to_owned()), "{expected}: {schema}\n{found}");
    }
    let found = look("CREATE TABLE rx (id INTEGER, drug TEXT PRIMARY KEY, UNIQUE (id))", Flow::Move, &["drug"]);
    assert_eq!(codes(&found), ["key-column:drug"], "{found}");
}

#[test]
fn a_trigger_is_shown_with_the_tables_that_it_names() {
    let schema =
        "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT); CREATE TABLE rx_history (drug); CREATE TABLE unseen (a);
        CREATE TRIGGER audit AFTER UPDATE ON rx BEGIN INSERT INTO rx_history VALUES (old.drug); END;
        CREATE TRIGGER elsewhere AFTER INSERT ON unseen BEGIN SELECT 1; END";
    let found = look(schema, Flow::Seal, &["drug"]);
    assert_eq!(codes(&found), ["trigger:audit"]);
    let [trigger, ..] = found.concerns() else { panic!("{found}") };
    assert!(trigger.weight() == Weight::Asks && trigger.to_string().contains("(it names rx_history)"), "{trigger}");
    let accepted = ["trigger:audit".to_owned()];
    assert_eq!((found.open_concerns(&[]).count(), found.open_concerns(&accepted).count()), (1, 0));
}

/// The gate of a migration, and what only has its name.
#[test]
fn a_gate_is_no_question() {
    let table = "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT)";
    let gate = ColumnSql::sealed("rx", "drug", ColumnLen::padded_to(32, 60)).unwrap().sqlite_gate().unwrap();
    assert_eq!(codes(&look(&format!("{table}; {gate}"), Flow::Seal, &["drug"])), Vec::<String>::new());
    let other = gate.replace("BEGIN SELECT", "BEGIN DELETE FROM rx; SELECT");
    let found = look(&format!("{table}; {other}"), Flow::Seal, &["drug"]);
    assert_eq!(codes(&found), ["trigger:rxseal_rx_drug_insert", "trigger:rxseal_rx_drug_update"]);
}

#[test]
fn a_check_of_ours_and_other_tables_do_not_matter() {
    let schema = "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug BLOB CONSTRAINT rxseal_rx_drug CHECK (typeof(drug) = 'blob'), kind CHECK (kind <> 'drug'));
        CREATE TABLE b (drug, x AS (drug)); CREATE INDEX i ON b (drug); CREATE VIEW v AS SELECT drug FROM b;
        CREATE INDEX k ON rx (kind); CREATE VIEW w AS SELECT kind FROM rx; CREATE VIRTUAL TABLE f USING fts5(drug, content='b')";
    let found = look(schema, Flow::Seal, &["drug"]);
    assert_eq!(codes(&found), Vec::<String>::new(), "{found}");
}
