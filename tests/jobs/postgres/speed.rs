//! What a job costs beside a plain chunked UPDATE that writes the same bytes.

use std::env;
use std::time::{Duration, Instant};

use rxseal_jobs::Operation;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::child::Process;
use crate::rows::COLUMNS;
use crate::support::{Database, Keys, Running, number};

/// The ratio is judged where the numbers are those of the design, by the medians of some rounds. Two workers must be faster than one, and no
/// more is asked of them: while one worker seals, the server writes, so it alone uses both processors of a small machine.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_backfill_beside_a_plain_update() {
    let (rows, rounds) = (number(4_000, 300_000), number(1, 3));
    // The standby of the tests replays what the jobs write, and would do so on the same processors.
    let is_full = env::var_os("RXSEAL_FULL").is_some();
    if is_full {
        replay("pause").await;
    }
    let mut took = [const { Vec::new() }; 3];
    for at in 0..rounds {
        took.iter_mut().zip(round(rows, at == 0).await).for_each(|(took, round)| took.push(round));
    }
    if is_full {
        replay("resume").await;
    }
    let [one, two, plain] = took.map(|mut took| {
        took.sort_unstable();
        took[rounds / 2].as_secs_f64()
    });
    let rate = |took: f64| rows as f64 / took;
    println!(
        "{rows} rows of 5 fields: plain UPDATE {:.0} rows/s; one worker {:.0} rows/s, {:.2} x its time; two {:.0} rows/s, {:.2} x its time, {:.2} x one",
        rate(plain),
        rate(one),
        one / plain,
        rate(two),
        two / plain,
        one / two,
    );
    if is_full {
        assert!(one <= 1.6 * plain, "a backfill takes {:.2} times as long as a plain UPDATE", one / plain);
        assert!(two < one, "two workers take {:.2} times as long as one", two / one);
    }
}

async fn replay(what: &str) {
    let mut standby = PgConnection::connect(&env::var("RXSEAL_TEST_POSTGRES_STANDBY").unwrap()).await.unwrap();
    let statement = format!("SELECT pg_wal_replay_{what}()");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut standby).await.unwrap();
}

/// One worker, two, and a plain UPDATE.
async fn round(rows: usize, ends: bool) -> [Duration; 3] {
    let (keys, database) = (Keys::new(), Database::new().await);
    database.fill(rows, 1).await;
    database.run("CREATE TABLE plain AS SELECT * FROM rx; ALTER TABLE plain ADD PRIMARY KEY (id); CHECKPOINT").await;
    let one = backfill(&database, &keys, 1, ends).await;
    let plain = plain_update(&database).await;
    // The same rows, as they were.
    database.run("DROP TABLE rx; DROP TABLE plain; DELETE FROM rxseal_job").await;
    database.fill(rows, 1).await;
    database.run("CHECKPOINT").await;
    [one, backfill(&database, &keys, 2, ends).await, plain]
}

/// From when the workers have joined until none is left. The count at the end takes longer than the job, so one round has it.
async fn backfill(database: &Database, keys: &Keys, workers: usize, ends: bool) -> Duration {
    let running = Running::plan(database, &keys.unlocked(), Operation::Backfill, 2_000).await;
    running.job.pause().await.unwrap();
    running.job.resume().await.unwrap();
    let processes: Vec<_> = (0..workers)
        .map(|_| Process::start(&running.url, &database.at("rx"), Operation::Backfill, &keys.folder, 30_000))
        .collect();
    let began = Instant::now();
    for process in processes {
        process.end();
    }
    let took = began.elapsed();
    if ends {
        assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
    }
    took
}

/// Writes the tokens of the job into the other table, chunk by chunk, as a program without the job would.
async fn plain_update(database: &Database) -> Duration {
    let mut db = database.connect().await;
    sqlx::query("SET synchronous_commit = off").execute(&mut db).await.unwrap();
    let select = format!("SELECT id, {} FROM rx ORDER BY id", COLUMNS.join(", "));
    let rows: Vec<(i64, String, String, String, String, Option<String>)> =
        sqlx::query_as(AssertSqlSafe(select)).fetch_all(&mut db).await.unwrap();
    let update = "UPDATE plain AS t SET name = v.a, drug = v.b, directions = v.c, prescriber = v.d, note = v.e \
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS v (id, a, b, c, d, e) WHERE t.id = v.id";
    let began = Instant::now();
    for chunk in rows.chunks(2_000) {
        let mut transaction = db.begin().await.unwrap();
        // It reads what it replaces, too.
        let (first, last) = (chunk[0].0, chunk[chunk.len() - 1].0);
        let read = sqlx::query("SELECT * FROM plain WHERE id BETWEEN $1 AND $2 ORDER BY id").bind(first).bind(last);
        assert_eq!(read.fetch_all(&mut *transaction).await.unwrap().len(), chunk.len());
        let query = sqlx::query(update).bind(chunk.iter().map(|row| row.0).collect::<Vec<_>>());
        let query = query.bind(chunk.iter().map(|row| row.1.as_str()).collect::<Vec<_>>());
        let query = query.bind(chunk.iter().map(|row| row.2.as_str()).collect::<Vec<_>>());
        let query = query.bind(chunk.iter().map(|row| row.3.as_str()).collect::<Vec<_>>());
        let query = query.bind(chunk.iter().map(|row| row.4.as_str()).collect::<Vec<_>>());
        let query = query.bind(chunk.iter().map(|row| row.5.as_deref()).collect::<Vec<_>>());
        assert_eq!(query.execute(&mut *transaction).await.unwrap().rows_affected(), chunk.len() as u64);
        transaction.commit().await.unwrap();
    }
    began.elapsed()
}
