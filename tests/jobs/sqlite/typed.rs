//! Work on rows of a program's own types.

use rusqlite::params;
use rxseal_jobs::Operation;

use super::Database;
use crate::typed::{Cells, ROWS, cells, check, odd, work};

fn read(database: &Database) -> Vec<Cells> {
    let db = database.connect();
    let mut statement = db.prepare("SELECT id, name, hidden, tags, answers FROM surveys ORDER BY id").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let rows = statement.query_map((), row).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// Absences, lists and maps are sealed as a program of these types reads them, resealed and counted.
#[test]
fn absences_lists_and_maps_are_sealed() {
    let database = Database::new(
        "CREATE TABLE surveys (id INTEGER PRIMARY KEY, name TEXT, by_name BLOB, hidden TEXT, tags TEXT, answers TEXT)",
    );
    let (ring, db) = (database.keys.unlocked(), database.connect());
    for (id, name, hidden, tags, answers) in cells().into_iter().chain(odd(&ring).into_iter().map(|(row, ..)| row)) {
        let sql = "INSERT INTO surveys (id, name, hidden, tags, answers) VALUES (?1, ?2, ?3, ?4, ?5)";
        db.execute(sql, params![id, name, hidden, tags, answers]).unwrap();
    }
    let at = format!("sqlite:{}#surveys", database.path().display());
    let (spec, backfill) = work(&at, Operation::Backfill, &ring);
    let backfill = database.plan_with("backfill", spec, backfill, 10);
    backfill.run();
    let expected: Vec<_> = odd(&ring)
        .into_iter()
        .map(|((id, ..), field, reason)| (format!("[\"{id}\"]"), field.to_owned(), reason.to_owned()))
        .collect();
    assert_eq!(backfill.faults(), expected);
    let ended = backfill.job.finish(&backfill.spec).unwrap();
    assert!(!ended.is_clean() && !ended.plaintext_rose, "{ended:?}");

    // Whatever is left is seen by the count, in a list and as an absence.
    db.execute("DELETE FROM surveys WHERE id > ?1", [ROWS]).unwrap();
    backfill.job.reopen(&backfill.spec).unwrap();
    assert!(backfill.run().iter().all(|done| done.counts.written == 0));
    let ended = backfill.job.finish(&backfill.spec).unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    db.execute_batch("CREATE TABLE kept AS SELECT * FROM surveys").unwrap();
    for change in [
        "tags = '[\"plain\"]'",
        "answers = '{\"1\": \"plain\"}'",
        "hidden = NULL",
        "tags = replace(tags, ']', ',\"plain\"]')",
    ] {
        db.execute_batch(&format!("UPDATE surveys SET {change} WHERE id = 1")).unwrap();
        let ended = backfill.job.finish(&backfill.spec).unwrap();
        assert_eq!(ended.left.len(), if change.starts_with("hidden") { 1 } else { 2 }, "{change}: {ended:?}");
        db.execute_batch("DELETE FROM surveys; INSERT INTO surveys SELECT * FROM kept").unwrap();
    }
    let rows = read(&database);
    assert_eq!(rows.len(), ROWS as usize);
    rows.iter().for_each(|row| check(&ring, row));
    assert_eq!(database.count("SELECT count(by_name) FROM surveys"), ROWS);

    db.execute_batch("DROP TABLE kept").unwrap();
    database.keys.rotate();
    let ring = database.keys.unlocked();
    let (spec, reseal) = work(&at, Operation::Reseal, &ring);
    let reseal = database.plan_with("reseal", spec, reseal, 10);
    reseal.run();
    assert_eq!(reseal.faults(), []);
    assert!(reseal.job.finish(&reseal.spec).unwrap().is_clean());
    read(&database).iter().for_each(|row| check(&ring, row));
}
