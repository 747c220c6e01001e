//! Each operation, and what a table holds that is not as it should be.

use rusqlite::params;
use rxseal_jobs::Operation;

use super::Database;
use crate::rows::value;
use crate::support::number;

#[test]
fn sealed_moved_and_back() {
    let rows = number(2_000, 1_000_000);
    let database = Database::filled(rows, 3);
    let sealed = |done: &[rxseal_jobs::ChunkDone]| {
        let sum = |count: fn(&rxseal_jobs::Counts) -> u64| done.iter().map(|done| count(&done.counts)).sum::<u64>();
        (
            sum(|counts| counts.rows),
            sum(|counts| counts.written),
            sum(|counts| counts.sealed),
            sum(|counts| counts.unsealed),
        )
    };
    let all = rows as u64;
    let seal = database.plan("seal", Operation::Backfill, 500);
    assert_eq!(sealed(&seal.run()), (all, all, all * 5, 0));
    assert!(seal.job.finish(&seal.spec).unwrap().is_clean());
    assert_eq!(database.check(&database.keys.unlocked(), "CAST(id AS TEXT)", |column, id, _| value(column, id)), rows);

    database.keys.rotate();
    let reseal = database.plan("reseal", Operation::Reseal, 500);
    assert_eq!(sealed(&reseal.run()), (all, all, 0, 0));
    let ended = reseal.job.finish(&reseal.spec).unwrap();
    assert!(ended.is_clean() && ended.under_target == all * 5 && ended.under_others.is_empty(), "{ended:?}");
    assert_eq!(database.count("SELECT count(DISTINCT substr(drug, 5, 8)) FROM rx"), 1);
    let again = database.plan("again", Operation::Reseal, 333);
    assert_eq!(sealed(&again.run()), (all, 0, 0, 0), "what is moved is not written again");
    assert_eq!(database.check(&database.keys.unlocked(), "CAST(id AS TEXT)", |column, id, _| value(column, id)), rows);

    let unseal = database.plan("unseal", Operation::Unseal, 500);
    assert_eq!(sealed(&unseal.run()), (all, all, 0, all * 5));
    assert!(unseal.job.finish(&unseal.spec).unwrap().is_clean());
    let same = format!(
        "SELECT count(*) FROM rx WHERE drug = '{}' || id AND note = '{}' || id",
        value("drug", ""),
        value("note", "")
    );
    assert_eq!(database.count(&same), i64::try_from(rows).unwrap());
}

/// Each of them stays as it is, and is listed. No list, status or error has a value.
#[test]
fn what_does_not_open_is_listed_and_untouched() {
    let database = Database::filled(60, 1);
    let seal = database.plan("seal", Operation::Backfill, 7);
    seal.run();
    assert!(seal.job.finish(&seal.spec).unwrap().is_clean());
    database.keys.rotate();
    let db = database.connect();
    let token =
        |id: i64| db.query_row("SELECT drug FROM rx WHERE id = ?1", [id], |row| row.get::<_, String>(0)).unwrap();
    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let foreign = foreign.record("jobs.rx", 13).unwrap().seal::<crate::rows::Drug>("Zoraida").unwrap().to_string();
    let (ten, fifty) = (token(10), token(50));
    for (id, drug) in [
        (11, ten.clone()),
        (12, format!("{}A", &fifty[..fifty.len() - 1])),
        (13, foreign),
        (14, fifty[..40].to_owned()),
        (15, "Zoraida".to_owned()),
    ] {
        db.execute("UPDATE rx SET drug = ?2 WHERE id = ?1", params![id, drug]).unwrap();
    }
    db.execute("UPDATE rx SET drug = name WHERE id = 16", ()).unwrap();
    let before: String = db
        .query_row("SELECT group_concat(drug || name) FROM rx WHERE id BETWEEN 11 AND 16", (), |row| row.get(0))
        .unwrap();
    let reseal = database.plan("reseal", Operation::Reseal, 7);
    reseal.run();
    let faults = reseal.faults();
    let rows: Vec<_> = faults.iter().map(|(row, field, _)| (row.as_str(), field.as_str())).collect();
    let expected: Vec<_> = (11..=16).map(|id| format!("[\"{id}\"]")).collect();
    assert_eq!(rows, expected.iter().map(|row| (row.as_str(), "jobs.drug")).collect::<Vec<_>>(), "{faults:?}");
    let after: String = db
        .query_row("SELECT group_concat(drug || name) FROM rx WHERE id BETWEEN 11 AND 16", (), |row| row.get(0))
        .unwrap();
    assert_eq!(before, after);
    let ended = reseal.job.finish(&reseal.spec).unwrap();
    assert!(!ended.is_clean() && ended.faults == 6, "{ended:?}");
    let told = format!("{faults:?}{ended:?}{:?}", reseal.job.status().unwrap());
    assert!(!told.contains(crate::rows::CANARY) && !told.contains(&fifty[12..30]), "{told}");
    for (row, _, reason) in &faults {
        assert_ne!(reason, "", "{row}");
    }
}
