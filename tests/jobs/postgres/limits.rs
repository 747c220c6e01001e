//! What workers hold themselves to: memory, locks, rates, pauses, replicas; and what stops a job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rxseal_jobs::postgres::{Job, Worker};
use rxseal_jobs::{Limits, Operation, State, WorkerOptions};

use crate::child::Process;
use crate::rows::{COLUMNS, value};
use crate::support::{Database, Keys, Running, number};

/// A worker takes at most this much, whatever the table has.
const MOST_KIB: u64 = 64 << 10;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn memory_does_not_grow_with_the_table() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(number(6_000, 300_000), 1).await;
    // Some rows of notes as long as the field allows, next to each other.
    database.run("UPDATE rx SET note = repeat('n', 1000) WHERE id < 3000").await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 2_000).await;
    let process = Process::start(&running.url, &database.at("rx"), Operation::Backfill, &keys.folder, 30_000);
    let said = process.end();
    let peak: u64 = said.split_whitespace().last().unwrap().parse().unwrap();
    println!("a worker took {} KiB at most", peak);
    assert!(peak <= MOST_KIB, "{peak} KiB");
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
}

/// How long a chunk keeps its rows from others. The bound of the design is 100 ms; in a debug build it is printed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn locks_are_held_for_the_writing_alone() {
    let keys = Keys::new();
    let database = Database::new().await;
    let rows = number(4_000, 100_000);
    database.fill(rows, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 2_000).await;
    let mut held: Vec<_> = running.run().await.iter().map(|done| (done.held, done.took)).collect();
    held.sort();
    let (held, took) = held[held.len() / 2];
    println!("locks of 2,000 rows: {held:?} of {took:?} (median)");
    assert!(held < took, "rows are locked while they are read and sealed");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_job_is_paused_and_goes_on() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(100, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 10).await;
    let mut worker = running.worker().await;
    assert!(worker.run_chunk().await.unwrap().is_some());
    running.job.pause().await.unwrap();
    assert_eq!(worker.run_chunk().await.unwrap(), None);
    assert_eq!(running.job.status().await.unwrap().state, State::Paused);
    running.job.resume().await.unwrap();
    let mut chunks = 0;
    worker.run(|_| chunks += 1).await.unwrap();
    assert_eq!(chunks, 9);
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    assert_eq!(running.job.status().await.unwrap().state, State::Done);
    assert_eq!(running.job.pause().await.unwrap_err().code().as_str(), "job-refused");
    assert_eq!(running.job.resume().await.unwrap_err().code().as_str(), "job-refused");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_rate_and_hours_are_kept() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(60, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 20).await;
    let mut options = WorkerOptions::default();
    options.limits.rows_per_second = Some(50);
    let mut worker = running.worker_with(options).await;
    let began = Instant::now();
    worker.run(|_| {}).await.unwrap();
    // 60 rows, and the last chunk waits for nothing.
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());

    // The hour that begins in two hours.
    let hour = database.count("SELECT extract(hour FROM localtime)::bigint").await;
    let hours = format!("{:02}:00-{:02}:00", (hour + 2) % 24, (hour + 3) % 24);
    let mut options = WorkerOptions::default();
    options.limits = Limits::default();
    options.limits.between = Some(rxseal_jobs::Hours::parse(&hours).unwrap());
    let wait = running.worker_with(options).await.pause().await.unwrap();
    assert!(wait >= Duration::from_secs(3_600) && wait <= Duration::from_secs(7_260), "{wait:?}");
}

/// A standby that replays nothing makes workers wait.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn workers_wait_for_replicas() {
    let standby = std::env::var("RXSEAL_TEST_POSTGRES_STANDBY").expect("run it with .ci/servers");
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(100, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 50).await;
    let mut options = WorkerOptions::default();
    options.limits.max_replica_lag = Some(Duration::from_millis(300));
    let mut worker = running.worker_with(options).await;
    let mut replica = <sqlx::PgConnection as sqlx::Connection>::connect(&standby).await.unwrap();
    sqlx::query("SELECT pg_wal_replay_pause()").execute(&mut replica).await.unwrap();
    let began = Instant::now();
    let waited = loop {
        database.run("UPDATE rx SET writes = writes + 1").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let pause = worker.pause().await.unwrap();
        if !pause.is_zero() || began.elapsed() > Duration::from_secs(30) {
            break pause;
        }
    };
    sqlx::query("SELECT pg_wal_replay_resume()").execute(&mut replica).await.unwrap();
    assert!(!waited.is_zero(), "nobody waits for the replica");
    worker.run(|_| {}).await.unwrap();
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
}

/// A limit that cannot be kept is refused, and not taken for kept.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_role_that_does_not_see_replicas_is_told_so() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(20, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 10).await;
    let (schema, role) = (&database.schema, format!("blind_of_{}", database.schema));
    database
        .run(&format!(
            "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT, UPDATE ON rx TO {role};
             GRANT ALL ON rxseal_job, rxseal_chunk, rxseal_fault TO {role}"
        ))
        .await;
    let job = Job::open(&database.url().replacen("rxseal@", &format!("{role}@"), 1), "job").await.unwrap();
    for (limit, is_refused) in [(Some(Duration::from_secs(10)), true), (None, false)] {
        let mut options = WorkerOptions::default();
        options.limits.max_replica_lag = limit;
        let mut worker = Worker::join(&job, &running.spec, Arc::clone(&running.work), options).await.unwrap();
        let ended = worker.run(|_| {}).await;
        assert_eq!(ended.is_err(), is_refused, "{limit:?}: {ended:?}");
        if let Err(error) = ended {
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(error.code().as_str() == "job-refused" && cause.contains("grant pg_monitor"), "{cause}");
        }
    }
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// A program that still writes plaintext.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn plaintext_that_becomes_more_stops_the_job() {
    let keys = Keys::new();
    let database = Arc::new(Database::new().await);
    database.fill(100, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 20).await;
    let mut options = WorkerOptions::default();
    options.look_every = Duration::ZERO;
    let mut worker = running.worker_with(options).await;
    worker.run_chunk().await.unwrap();
    // In a chunk that is done.
    database.run(&format!("UPDATE rx SET drug = '{}' WHERE id = 3", value("drug", "3"))).await;
    let error = worker.run_chunk().await.unwrap_err();
    assert_eq!(error.code().as_str(), "job-stopped");
    assert_eq!(running.job.status().await.unwrap().state, State::Stopped);
    assert_eq!(running.worker().await.run_chunk().await.unwrap_err().code().as_str(), "job-stopped");
    let ended = running.job.finish(&running.spec).await.unwrap();
    assert!(ended.plaintext_rose && !ended.is_clean());
    // It was found and mended.
    running.job.reopen(&running.spec).await.unwrap();
    running.run().await;
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    for column in COLUMNS {
        assert_eq!(database.count(&format!("SELECT count(*) FROM rx WHERE {column} NOT LIKE 'rxs%'")).await, 0);
    }
}
