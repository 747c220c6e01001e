//! What a job leaves as it is, and lists: with ids and reasons, and never a value.

use std::sync::Arc;

use rxseal::Keyring;
use rxseal_jobs::{ChunkWork, Column, Operation, Row, WorkFuture};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::rows::{CANARY, COLUMNS, value};
use crate::support::{Database, Keys, Running, check_rows};

fn unchanged(column: &str, id: &str, _: i32) -> String {
    value(column, id)
}

/// A fault as (row, field, reason).
fn fault(row: u32, field: &str, reason: &str) -> (String, String, String) {
    (format!("[\"{row}\"]"), field.to_owned(), reason.to_owned())
}

async fn backfill(database: &Database, keys: &Keyring) -> Running {
    Running::plan(database, keys, Operation::Backfill, 40).await
}

/// Planted by a thief, or true plaintext: a job does not guess.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn what_looks_like_a_token_is_reported() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(100, 1).await;
    let other = ring.record("jobs.rx", "other").unwrap().seal_text::<crate::rows::Drug>("warfarin 5 MG").unwrap();
    let of_nobody = format!("{}AAAAAAAA{}", &other[..4], &other[12..]);
    let planted = [
        (1, format!("rxsX{}", "a".repeat(60)), "unknown-key"),
        (2, "rxsX of the week".to_owned(), "looks-like-token"),
        (3, format!(" \n{other}"), "looks-like-token"),
        (4, other.clone(), "open-failed"),
        (5, of_nobody, "unknown-key"),
        (6, format!("see {other} there"), "looks-like-token"),
        (7, other[..other.len() - 3].to_owned(), "looks-like-token"),
    ];
    for (id, text, _) in &planted {
        database.run(&format!("UPDATE rx SET drug = '{text}' WHERE id = {id}")).await;
    }
    let running = backfill(&database, &ring).await;
    running.run().await;
    let expected: Vec<_> = planted.iter().map(|(id, _, reason)| fault(*id, "jobs.drug", reason)).collect();
    assert_eq!(running.faults().await, expected);
    for (id, text, _) in &planted {
        let same = format!(
            "SELECT count(*) FROM rx WHERE id = {id} AND drug = '{text}' AND name = '{}' || id",
            value("name", "")
        );
        assert_eq!(database.count(&same).await, 1, "{id}: the row stays as it is");
    }
    let ended = running.job.finish(&running.spec).await.unwrap();
    assert!(!ended.is_clean());
    assert_eq!(ended.faults, 7);
    let status = running.job.status().await.unwrap();
    assert_eq!((status.counts.failed, status.counts.written), (7, 93));

    // Mended, and once more.
    database.run(&format!("UPDATE rx SET drug = '{}' || id WHERE id < 8", value("drug", ""))).await;
    running.job.reopen(&running.spec).await.unwrap();
    running.run().await;
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    check_rows(&database, &ring, 100, unchanged).await;
}

/// Does something to the table after the rows were read.
struct Meddling {
    inner: Arc<dyn ChunkWork>,
    url: String,
    sql: String,
    times: std::sync::atomic::AtomicU32,
}

impl ChunkWork for Meddling {
    fn columns(&self) -> &[Column] {
        self.inner.columns()
    }

    fn run<'a>(&'a self, rows: &'a [Row<'a>]) -> WorkFuture<'a> {
        Box::pin(async move {
            let outcomes = self.inner.run(rows).await?;
            let left = std::sync::atomic::Ordering::Relaxed;
            if self.times.fetch_update(left, left, |times| times.checked_sub(1)).is_ok() {
                let mut db = PgConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(self.sql.clone())).execute(&mut db).await.unwrap();
            }
            Ok(outcomes)
        })
    }
}

async fn meddled(database: &Database, keys: &Keyring, sql: &str) -> Running {
    meddled_with(backfill(database, keys).await, database, sql)
}

fn meddled_with(mut running: Running, database: &Database, sql: &str) -> Running {
    let inner = Arc::clone(&running.work);
    running.work = Arc::new(Meddling { inner, url: database.url(), sql: sql.to_owned(), times: 1.into() });
    running
}

/// Rows of two tenants in one table: a job is for one of them. A row that goes to the other one after it was read is left alone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_row_that_goes_to_another_tenant_is_left_alone() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(40, 1).await;
    database
        .run("ALTER TABLE rx ADD tenant text NOT NULL DEFAULT 'pharmacy-17'; UPDATE rx SET tenant = 'pharmacy-18' WHERE id > 30")
        .await;
    let map = crate::rows::map_text(&database.at("rx"), "\"id\"").replace("\"pharmacy-17\"", "{ column = \"tenant\" }");
    let map = rxseal_map::Map::parse(&map).unwrap();
    let running = Running::plan_of(&database, &map, &ring, Operation::Backfill, 40).await;
    // One goes, and one only changes.
    let sql = "UPDATE rx SET tenant = 'pharmacy-18' WHERE id = 3; UPDATE rx SET writes = 0 WHERE id = 4";
    let running = meddled_with(running, &database, sql);
    let counts = running.run().await[0].counts;
    assert_eq!((counts.rows, counts.written, counts.skipped, counts.retried), (30, 29, 1, 2));
    assert_eq!(running.faults().await, []);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    let sealed = |tenant: &str| format!("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%' AND tenant = '{tenant}'");
    assert_eq!(database.count(&sealed("pharmacy-17")).await, 29);
    assert_eq!(database.count(&sealed("pharmacy-18")).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn rows_that_change_under_the_job_are_read_again() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(40, 1).await;
    // Another value, another column, the same value, and one that is gone.
    let sql = format!(
        "UPDATE rx SET drug = '{CANARY} changed' WHERE id = 3; UPDATE rx SET writes = 7 WHERE id = 4; UPDATE rx SET note = note WHERE id = 5;
        DELETE FROM rx WHERE id = 6"
    );
    let running = meddled(&database, &ring, &sql).await;
    let done = running.run().await;
    let counts = done[0].counts;
    assert_eq!((counts.rows, counts.written, counts.skipped, counts.retried), (40, 39, 1, 4));
    assert_eq!(running.faults().await, []);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    check_rows(&database, &ring, 39, |column, id, writes| {
        assert_eq!(writes, if id == "4" { 7 } else { 0 });
        if column == "drug" && id == "3" { format!("{CANARY} changed") } else { value(column, id) }
    })
    .await;
}

/// A transaction that never ends keeps its row, and no other.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_row_that_is_locked_all_the_time_is_busy() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(40, 1).await;
    let mut other = database.connect().await;
    let mut holding = other.begin().await.unwrap();
    sqlx::query("UPDATE rx SET writes = 1 WHERE id = 9").execute(&mut *holding).await.unwrap();
    let running = backfill(&database, &ring).await;
    let done = running.run().await;
    assert_eq!((done[0].counts.written, done[0].counts.failed), (39, 1));
    assert_eq!(running.faults().await, [fault(9, "", "busy")]);
    holding.commit().await.unwrap();
    assert!(!running.job.finish(&running.spec).await.unwrap().is_clean());
    running.job.reopen(&running.spec).await.unwrap();
    assert_eq!(running.run().await[0].counts.written, 1);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
}

/// What the table itself does to a value: a trigger that rewrites it, a check that refuses it, a column that is too short.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn what_the_table_does_to_single_rows() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(100, 1).await;
    database
        .run("CREATE FUNCTION upper_note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id % 20 = 0 THEN NEW.note := upper(NEW.note); END IF; RETURN NEW; END';
            CREATE TRIGGER upper_note BEFORE UPDATE ON rx FOR EACH ROW EXECUTE FUNCTION upper_note();
            ALTER TABLE rx ADD CHECK (id <> 33 OR length(drug) < 40)")
        .await;
    let running = backfill(&database, &ring).await;
    running.run().await;
    let rewritten = |row| fault(row, "", "rewritten");
    let expected = [
        rewritten(100),
        rewritten(20),
        fault(33, "", "refused-by-database"),
        rewritten(40),
        rewritten(60),
        rewritten(80),
    ];
    assert_eq!(running.faults().await, expected);
    let plain = format!(
        "SELECT count(*) FROM rx WHERE drug LIKE '{CANARY}%' AND note LIKE '{CANARY}%' AND (id % 20 = 0 OR id = 33)"
    );
    assert_eq!(database.count(&plain).await, 6, "these rows stay as they are");
    assert_eq!(running.job.status().await.unwrap().counts.written, 94);
}

/// A map that was changed, another operation, another schema, an older keyring, a newer one with another primary key.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_worker_with_anything_else_does_not_join() {
    use rxseal_jobs::postgres::Worker;
    use rxseal_jobs::{DeclaredWork, Spec, WorkerOptions};

    use crate::rows::{map_of, schema, source};

    let keys = Keys::new();
    let older = keys.unlocked();
    keys.rotate();
    let ring = keys.unlocked();
    keys.rotate();
    let newer = keys.unlocked();
    let database = Database::new().await;
    database.fill(10, 1).await;
    let running = backfill(&database, &ring).await;
    let map = database.map();
    let fewer = map_of(&format!(
        "at = '{}'\nrecord = \"jobs.rx\"\nid = \"id\"\nsealed = {{ name = \"jobs.name\" }}",
        database.at("rx")
    ));
    let swapped = map_of(&format!(
        "at = '{}'\nrecord = \"jobs.rx\"\nid = \"id\"\nsealed = {{ name = \"jobs.drug\", drug = \"jobs.name\", directions = \"jobs.directions\", prescriber = \"jobs.prescriber\", note = \"jobs.note\" }}",
        database.at("rx")
    ));
    for (what, operation, map, ring) in [
        ("older", Operation::Backfill, &map, &older),
        ("newer", Operation::Backfill, &map, &newer),
        ("operation", Operation::Reseal, &map, &ring),
        ("fewer", Operation::Backfill, &fewer, &ring),
        ("swapped", Operation::Backfill, &swapped, &ring),
    ] {
        let spec = Spec::new(operation, source(map), &schema(), ring).unwrap();
        let work = Arc::new(DeclaredWork::new(&spec, &schema(), ring).unwrap());
        let error = Worker::join(&running.job, &spec, work, WorkerOptions::default()).await.unwrap_err();
        assert_eq!(error.code().as_str(), "job-mismatch", "{what}");
        assert_eq!(running.job.finish(&spec).await.unwrap_err().code().as_str(), "job-mismatch", "{what}");
        assert_eq!(running.job.reopen(&spec).await.unwrap_err().code().as_str(), "job-mismatch", "{what}");
    }
    running.worker().await;
}

/// T79. Not in the list of faults, not in an error, not in the log of a server that logs every statement with its parameters.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn no_value_is_in_a_log() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(200, 1).await;
    // The server logs what this test sets up, so it makes its canaries where nobody sees them.
    let canary = "Xiomara";
    let hidden = "X' || 'iomara ";
    let set: Vec<_> = COLUMNS.iter().map(|column| format!("{column} = '{hidden}' || id")).collect();
    database.run(&format!("UPDATE rx SET {}; UPDATE rx SET drug = 'rxsX{hidden}' WHERE id < 5", set.join(", "))).await;
    let url = database.url_with("-c log_statement=all -c log_min_duration_statement=0 -c log_error_verbosity=verbose");
    let spec = rxseal_jobs::Spec::new(
        Operation::Backfill,
        crate::rows::source(&database.map()),
        &crate::rows::schema(),
        &ring,
    )
    .unwrap();
    let work = Arc::new(rxseal_jobs::DeclaredWork::new(&spec, &crate::rows::schema(), &ring).unwrap());
    let running = Running::plan_with(&url, "job", spec, work, 50).await;
    running.run().await;
    let faults = running.faults().await;
    assert_eq!(faults.len(), 4);
    assert!(!format!("{faults:?}").contains(canary));
    assert!(!running.job.finish(&running.spec).await.unwrap().is_clean());
    let in_tables = format!(
        "SELECT (SELECT count(*) FROM rxseal_fault AS f WHERE f::text LIKE '%{0}%') + (SELECT count(*) FROM rxseal_job AS j WHERE j::text LIKE '%{0}%') + (SELECT count(*) FROM rxseal_chunk AS c WHERE c::text LIKE '%{0}%')",
        "Xiom%ara"
    );
    assert_eq!(database.count(&in_tables).await, 0);
    let log = Database::log();
    assert!(log.contains("UPDATE") && log.contains(&database.schema), "the log is not that of the server");
    assert!(!log.contains(canary), "a value is in the log of the server");
}
