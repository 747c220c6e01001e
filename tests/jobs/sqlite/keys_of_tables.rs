//! Tables whose rows are told apart in other ways than by a number.

use rxseal_jobs::Operation;

use super::{Database, insert};

/// The columns that are sealed.
const SEALED: &str =
    "name TEXT, drug TEXT, directions TEXT, prescriber TEXT, note TEXT, writes INTEGER NOT NULL DEFAULT 0";

/// 200 ids of each kind. Some are in an order that differs from that of their numbers.
#[test]
fn every_kind_of_key() {
    let uuid = |i: u32| format!("{:08x}-0000-4000-8000-{:012x}", i.wrapping_mul(2_654_435_761), i);
    for (table, id) in [
        (format!("CREATE TABLE rx (id TEXT PRIMARY KEY, {SEALED})"), "text"),
        (format!("CREATE TABLE rx (id TEXT PRIMARY KEY, {SEALED}) WITHOUT ROWID"), "uuid"),
        (format!("CREATE TABLE rx (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, {SEALED})"), "other"),
        (
            format!(
                "CREATE TABLE rx (id TEXT COLLATE NOCASE, {SEALED}); CREATE UNIQUE INDEX u ON rx (id COLLATE BINARY)"
            ),
            "case",
        ),
        (format!("CREATE TABLE rx (id BIGINT NOT NULL UNIQUE, {SEALED})"), "gaps"),
    ] {
        let database = Database::new(&table);
        let db = database.connect();
        for i in 0..200_u32 {
            let id = match id {
                "uuid" => uuid(i),
                "case" => format!("{}{}", if i % 2 == 0 { 'a' } else { 'A' }, i / 2),
                "gaps" => (u64::from(i).pow(3) * 1_000).to_string(),
                _ => format!("RX-{}", i * 7_919 % 1_000),
            };
            let sql = "INSERT INTO rx (id, name, drug, directions, prescriber, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            insert(&db, sql, &[&id], &id);
        }
        let keys = database.keys.unlocked();
        for (name, operation, written) in [("seal", Operation::Backfill, 200), ("again", Operation::Backfill, 0)] {
            let running = database.plan(name, operation, 17);
            let chunks = running.run();
            assert_eq!(chunks.iter().map(|done| done.counts.rows).sum::<u64>(), 200, "{table}");
            assert_eq!(chunks.iter().map(|done| done.counts.written).sum::<u64>(), written, "{table}");
            assert_eq!(running.faults(), [], "{table}");
            assert!(running.job.finish(&running.spec).unwrap().is_clean(), "{table}");
        }
        let rows = database.check(&keys, "CAST(id AS TEXT)", |column, id, _| crate::rows::value(column, id));
        assert_eq!(rows, 200, "{table}");
    }
}

/// `INTEGER PRIMARY KEY DESC` is not the rowid, and SQLite lets NULL into it. No row is in no chunk.
#[test]
fn a_key_that_only_looks_like_the_rowid() {
    for (key, is_rowid) in
        [("INTEGER PRIMARY KEY", true), ("INTEGER PRIMARY KEY DESC", false), ("INT PRIMARY KEY", false)]
    {
        let database = Database::new(&format!("CREATE TABLE rx (id {key}, {SEALED})"));
        let db = database.connect();
        let sql = "INSERT INTO rx (id, name, drug, directions, prescriber, note) VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5, ?6)";
        for id in 1..=20_u32 {
            insert(&db, sql, &[&(id * 3).to_string()], &(id * 3).to_string());
        }
        if !is_rowid {
            db.execute_batch("INSERT INTO rx (id, drug) VALUES (NULL, 'Zoraida'), (NULL, 'Zoraida')").unwrap();
        }
        let running = database.plan("seal", Operation::Backfill, 7);
        running.run();
        let nulls = if is_rowid { 0 } else { 2 };
        assert_eq!(running.job.status().unwrap().counts.rows, 20 + nulls, "{key}");
        let faults = running.faults();
        assert_eq!(faults.len() as u64, nulls, "{key}: {faults:?}");
        assert!(faults.iter().all(|(.., reason)| reason == "id-missing"), "{key}: {faults:?}");
        assert_eq!(running.job.finish(&running.spec).unwrap().is_clean(), is_rowid, "{key}");
        assert_eq!(database.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'"), 20, "{key}");
    }
}

/// Rows of two tenants in one table: a job is for one of them, and leaves the others alone.
#[test]
fn a_table_of_two_tenants() {
    let sql = format!("CREATE TABLE rx (tenant TEXT, id TEXT, {SEALED}, PRIMARY KEY (tenant, id)) WITHOUT ROWID");
    let database = Database::new(&sql);
    let db = database.connect();
    for i in 0..100 {
        for tenant in ["pharmacy-17", "pharmacy-18"] {
            let id = format!("RX-{i}");
            let sql = "INSERT INTO rx (tenant, id, name, drug, directions, prescriber, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            insert(&db, sql, &[tenant, &id], &id);
        }
    }
    let at = format!("sqlite:{}#rx", database.path().display());
    let map = crate::rows::map_text(&at, "\"id\"").replace("\"pharmacy-17\"", "{ column = \"tenant\" }");
    let map = rxseal_map::Map::parse(&map).unwrap();
    let running = database.plan_of("seal", &map, Operation::Backfill, 17);
    assert_eq!(running.run().iter().map(|done| done.counts.rows).sum::<u64>(), 100);
    assert!(running.job.finish(&running.spec).unwrap().is_clean());
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%' AND tenant = 'pharmacy-17'"), 100);
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%' AND tenant = 'pharmacy-18'"), 0);
}

/// The row stays as it is.
#[test]
fn what_is_not_an_id_is_a_fault() {
    let database = Database::new(&format!("CREATE TABLE rx (n INTEGER PRIMARY KEY, id, {SEALED})"));
    let db = database.connect();
    for id in ["'a b'", "NULL", "''", "'good'", "x'00ff'", "7"] {
        db.execute_batch(&format!("INSERT INTO rx (id, name) VALUES ({id}, 'Zoraida')")).unwrap();
    }
    let running = database.plan("seal", Operation::Backfill, 4);
    running.run();
    let faults: Vec<_> = running.faults().into_iter().map(|(row, _, reason)| (row, reason)).collect();
    let rows: Vec<_> = faults.iter().map(|(row, _)| row.as_str()).collect();
    assert_eq!(rows, [r#"["1"]"#, r#"["2"]"#, r#"["3"]"#, r#"["5"]"#], "{faults:?}");
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE name LIKE 'rxs%'"), 2);
    let ended = running.job.finish(&running.spec).unwrap();
    assert!(!ended.is_clean() && ended.plaintext == 4 && ended.faults == 4);
}
