//! Work on rows of a program's own types.

use rxseal_jobs::Operation;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{Database, Keys, Running};
use crate::typed::{Cells, ROWS, cells, check, odd, work};

async fn insert(db: &mut PgConnection, (id, name, hidden, tags, answers): Cells) {
    let sql = "INSERT INTO surveys (id, name, hidden, tags, answers) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql).bind(id).bind(name).bind(hidden).bind(tags).bind(answers).execute(db).await.unwrap();
}

/// Absences, lists and maps are sealed as a program of these types reads them, resealed and counted.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn absences_lists_and_maps_are_sealed() {
    let (keys, database) = (Keys::new(), Database::new().await);
    database.run("CREATE TABLE surveys (id bigint PRIMARY KEY, name text, by_name bytea, hidden text, tags text, answers text)").await;
    let mut db = database.connect().await;
    let ring = keys.unlocked();
    for row in cells().into_iter().chain(odd(&ring).into_iter().map(|(row, ..)| row)) {
        insert(&mut db, row).await;
    }
    let at = database.at("surveys");
    let (spec, backfill) = work(&at, Operation::Backfill, &ring);
    let backfill = Running::plan_with(&database.url(), "backfill", spec, backfill, 10).await;
    backfill.run().await;
    let expected: Vec<_> = odd(&ring)
        .into_iter()
        .map(|((id, ..), field, reason)| (format!("[\"{id}\"]"), field.to_owned(), reason.to_owned()))
        .collect();
    assert_eq!(backfill.faults().await, expected);
    let ended = backfill.job.finish(&backfill.spec).await.unwrap();
    assert!(!ended.is_clean() && !ended.plaintext_rose, "{ended:?}");

    // Whatever is left is seen by the count, in a list and as an absence.
    database.run(&format!("DELETE FROM surveys WHERE id > {ROWS}")).await;
    backfill.job.reopen(&backfill.spec).await.unwrap();
    assert!(backfill.run().await.iter().all(|done| done.counts.written == 0));
    let ended = backfill.job.finish(&backfill.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    for change in [
        "tags = '[\"plain\"]'",
        "answers = '{\"1\": \"plain\"}'",
        "hidden = NULL",
        "tags = replace(tags, ']', ',\"plain\"]')",
    ] {
        database.run(&format!("CREATE TABLE kept AS TABLE surveys; UPDATE surveys SET {change} WHERE id = 1")).await;
        let ended = backfill.job.finish(&backfill.spec).await.unwrap();
        assert_eq!(ended.left.len(), if change.starts_with("hidden") { 1 } else { 2 }, "{change}: {ended:?}");
        database.run("TRUNCATE surveys; INSERT INTO surveys TABLE kept; DROP TABLE kept").await;
    }
    let mut read = async |ring| {
        let sql = "SELECT id, name, hidden, tags, answers FROM surveys ORDER BY id";
        let rows: Vec<Cells> = sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap();
        assert_eq!(rows.len(), ROWS as usize);
        rows.iter().for_each(|row| check(ring, row));
    };
    read(&ring).await;
    assert_eq!(database.count("SELECT count(by_name) FROM surveys").await, ROWS);

    keys.rotate();
    let ring = keys.unlocked();
    let (spec, reseal) = work(&at, Operation::Reseal, &ring);
    let reseal = Running::plan_with(&database.url(), "reseal", spec, reseal, 10).await;
    reseal.run().await;
    assert_eq!(reseal.faults().await, []);
    assert!(reseal.job.finish(&reseal.spec).await.unwrap().is_clean());
    read(&ring).await;
    db.close().await.unwrap();
}

/// A list may be an array of texts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn an_array_is_a_list() {
    let (keys, database) = (Keys::new(), Database::new().await);
    database.run("CREATE TABLE surveys (id bigint PRIMARY KEY, name text, by_name bytea, hidden text, tags text[], answers text)").await;
    let mut db = database.connect().await;
    for (id, name, hidden, tags, answers) in cells() {
        let tags: Vec<String> = serde_json::from_str(&tags.unwrap()).unwrap();
        let sql = "INSERT INTO surveys (id, name, hidden, tags, answers) VALUES ($1, $2, $3, $4, $5)";
        sqlx::query(sql).bind(id).bind(name).bind(hidden).bind(tags).bind(answers).execute(&mut db).await.unwrap();
    }
    let ring = keys.unlocked();
    let (spec, backfill) = work(&database.at("surveys"), Operation::Backfill, &ring);
    let backfill = Running::plan_with(&database.url(), "backfill", spec, backfill, 10).await;
    backfill.run().await;
    assert_eq!(backfill.faults().await, []);
    let ended = backfill.job.finish(&backfill.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    let sql = "SELECT id, name, hidden, to_json(tags)::text, answers FROM surveys ORDER BY id";
    let rows: Vec<Cells> = sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap();
    rows.iter().for_each(|row| check(&ring, row));
    assert_eq!(database.count("SELECT count(*) FROM surveys WHERE tags IS NULL").await, 0);
    database.run("UPDATE surveys SET tags = tags || 'plain'::text WHERE id = 1").await;
    assert!(!backfill.job.finish(&backfill.spec).await.unwrap().is_clean());
}
