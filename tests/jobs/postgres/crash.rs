//! Workers that are killed, frozen or cut off, beside applications that write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rxseal::{Keyring, Token};
use rxseal_jobs::{Operation, WorkerOptions};
use sqlx::PgConnection;
use tokio::time::sleep;

use crate::child::Process;
use crate::rows::{COLUMNS, schema, value};
use crate::support::{Database, Keys, Running, check_rows, number};

/// A generator that a test can repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a row holds that was written so often.
fn written(column: &str, id: &str, writes: i32) -> String {
    if writes == 0 { value(column, id) } else { format!("{} after {writes}", value(column, id)) }
}

/// Writes random rows again and again, sealed, as an application does that is past step 2 of the migration.
async fn write_until(
    database: Arc<Database>,
    keys: Keyring,
    rows: u64,
    seed: u64,
    end: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
) {
    let mut db = database.connect().await;
    let mut random = Random(seed);
    while !end.load(Ordering::Relaxed) {
        write_one(&mut db, &keys, random.below(rows) + 1).await;
        writes.fetch_add(1, Ordering::Relaxed);
    }
}

async fn write_one(db: &mut PgConnection, keys: &Keyring, id: u64) {
    let id = id.to_string();
    let mut transaction = sqlx::Connection::begin(db).await.unwrap();
    let select = "SELECT writes FROM rx WHERE id = $1::text::bigint FOR UPDATE";
    let writes: i32 = sqlx::query_scalar(select).bind(&id).fetch_one(&mut *transaction).await.unwrap();
    let schema = schema();
    let tokens: Vec<Token> = keys
        .record("jobs.rx", &id)
        .unwrap()
        .seal_fields(|pass| {
            let seal = |column: &&str| {
                let text = written(column, &id, writes + 1);
                let field = schema.field(&format!("jobs.{column}")).unwrap();
                pass.seal_declared(field, rxseal::schema::Plain::Text(&text))
            };
            COLUMNS.iter().map(seal).collect()
        })
        .unwrap();
    let update = "UPDATE rx SET name = $2, drug = $3, directions = $4, prescriber = $5, note = $6, writes = writes + 1 \
        WHERE id = $1::text::bigint";
    let mut query = sqlx::query(update).bind(&id);
    for token in &tokens {
        query = query.bind(token.to_string());
    }
    query.execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// T77. Kills workers at random moments until so many are dead, and lets others finish. Rows are sealed exactly once, and no write of the application
/// is lost.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn workers_are_killed_beside_writers() {
    let (rows, kills) = (number(8_000, 300_000), number(20, 200));
    let keys = Keys::new();
    let database = Arc::new(Database::new().await);
    database.fill(rows, 1).await;
    let chunk_rows = u32::try_from(rows / (kills * 8)).unwrap();
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, chunk_rows).await;

    let (end, writes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = [3_u64, 5]
        .into_iter()
        .map(|seed| {
            let (database, end, writes) = (Arc::clone(&database), Arc::clone(&end), Arc::clone(&writes));
            tokio::spawn(write_until(database, keys.unlocked(), u64::try_from(rows).unwrap(), seed, end, writes))
        })
        .collect();
    let (url, at) = (running.url.clone(), database.at("rx"));
    let start = || Process::start(&url, &at, Operation::Backfill, &keys.folder, 30_000);
    let mut random = Random(11);
    let mut killed = 0;
    while killed < kills {
        let two = [start(), start()];
        for process in two {
            sleep(Duration::from_micros(random.below(40_000))).await;
            process.kill();
            killed += 1;
        }
    }
    let before = running.job.status().await.unwrap();
    assert!(before.chunks_done < before.chunks, "kills came too late to be in the middle of anything");
    for process in [start(), start(), start()] {
        process.end();
    }
    end.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    let status = running.job.status().await.unwrap();
    println!("{rows} rows, {killed} kills, {} writes, {:?}", writes.load(Ordering::Relaxed), status.counts);
    assert_eq!(status.chunks_done, status.chunks);
    assert_eq!(status.counts.rows, u64::try_from(rows).unwrap(), "each row is in one chunk that was done once");
    assert_eq!(status.counts.written + status.counts.skipped, status.counts.rows);
    assert_eq!(running.faults().await, []);
    let ended = running.job.finish(&running.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    check_rows(&database, &keys.unlocked(), rows, written).await;
    second_run_writes_nothing(&database, &running).await;
}

/// All of it again, with another worker count. The table stays as it is, to the last row version.
async fn second_run_writes_nothing(database: &Database, running: &Running) {
    let versions = "SELECT sum(xmin::text::bigint)::bigint FROM rx";
    let before = database.count(versions).await;
    running.job.reopen(&running.spec).await.unwrap();
    let done = running.run().await;
    assert!(done.iter().all(|chunk| chunk.counts.written == 0));
    assert_eq!(database.count(versions).await, before);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
}

/// The server ends the session of a worker that stands still in the middle of a chunk, and another worker takes the chunk. The first one goes on
/// when it wakes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_frozen_worker_loses_its_chunk() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(2_000, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 100).await;
    let mut frozen = Process::start(&running.url, &database.at("rx"), Operation::Backfill, &keys.folder, 3_000);
    frozen.wait_for("chunk").unwrap();
    // Somewhere in its next chunk.
    sleep(Duration::from_millis(20)).await;
    frozen.signal("-STOP");
    let began = Instant::now();
    while running.job.status().await.unwrap().chunks_done < 20 {
        running.run().await;
        sleep(Duration::from_millis(50)).await;
        assert!(began.elapsed() < Duration::from_secs(60), "the chunk of the frozen worker never came free");
    }
    frozen.signal("-CONT");
    frozen.end();
    let status = running.job.status().await.unwrap();
    assert_eq!(status.counts.rows, 2_000);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    check_rows(&database, &keys.unlocked(), 2_000, written).await;
}

/// Somebody ends every session of the workers again and again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_lost_connection_is_made_anew() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(3_000, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 50).await;
    let schema = database.schema.clone();
    let cut = async {
        let mut db = database.connect().await;
        let mut cuts = 0_i64;
        while running.job.status().await.unwrap().chunks_done < 60 {
            let cut = "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation \
                JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                WHERE n.nspname = $1 AND c.relname = 'rxseal_chunk' AND l.mode = 'RowShareLock' AND l.pid <> pg_backend_pid()";
            let now: i64 = sqlx::query_scalar(cut).bind(&schema).fetch_one(&mut db).await.unwrap();
            cuts += now;
            // A worker that was cut gets on before the next cut.
            sleep(Duration::from_millis(if now > 0 { 300 } else { 1 })).await;
        }
        cuts
    };
    let work = async { running.run().await.len() };
    let (cuts, chunks) = tokio::join!(cut, work);
    assert!(cuts > 0, "no session was cut in the middle of a chunk");
    assert_eq!(chunks, 60);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    check_rows(&database, &keys.unlocked(), 3_000, written).await;
}

/// A statement that takes too long is cancelled, and nothing of its chunk is written.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_statement_that_takes_too_long_changes_nothing() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(100, 1).await;
    database
        .run(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END';
            CREATE TRIGGER slow BEFORE UPDATE ON rx FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 100).await;
    let mut options = WorkerOptions::default();
    options.statement_timeout = Duration::from_millis(300);
    let error = running.worker_with(options).await.run_chunk().await.unwrap_err();
    assert_eq!(error.code().as_str(), "store-unavailable");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("57014"), "{cause}");
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE name LIKE 'rxs%'").await, 0);
    assert_eq!(running.job.status().await.unwrap().chunks_done, 0);
    assert!(!running.job.finish(&running.spec).await.unwrap().is_clean());

    database.run("DROP TRIGGER slow ON rx").await;
    running.run().await;
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
}

/// The disk is full when a chunk is committed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_commit_that_fails_changes_nothing() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(300, 1).await;
    database
        .run("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id > 150 THEN RAISE EXCEPTION SQLSTATE ''53100''; END IF; RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER full_disk AFTER UPDATE ON rx DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION full_disk()")
        .await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 100).await;
    let mut worker = running.worker().await;
    assert!(worker.run_chunk().await.unwrap().is_some());
    let error = worker.run_chunk().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE name LIKE 'rxs%'").await, 100);
    let status = running.job.status().await.unwrap();
    assert_eq!((status.chunks_done, status.counts.rows), (1, 100));

    database.run("DROP TRIGGER full_disk ON rx").await;
    assert!(worker.run_chunk().await.unwrap().is_some());
    running.run().await;
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    check_rows(&database, &keys.unlocked(), 300, written).await;
}
