//! Applications that write while a job runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::params;
use rxseal_jobs::Operation;

use super::Database;
use crate::rows::{Drug, value};
use crate::support::number;

/// T77. Each writes its own rows of the chunk that is being worked on, and counts. No count is lost, and nobody waits for long.
#[test]
fn no_update_is_lost() {
    let (rows, writers) = (number(4_000, 200_000), 4);
    let database = Database::filled(rows, 1);
    let seal = database.plan("seal", Operation::Backfill, 200);
    let over = AtomicBool::new(false);
    let waits: Vec<(u64, Duration)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let (database, seal, over) = (&database, &seal, &over);
                scope.spawn(move || write(database, seal, writer, writers, over))
            })
            .collect();
        seal.run();
        over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let updates: u64 = waits.iter().map(|(updates, _)| updates).sum();
    assert_eq!(database.count("SELECT sum(writes) FROM rx"), i64::try_from(updates).unwrap());
    assert!(updates > 20, "the writers were kept from writing: {waits:?}");
    let status = seal.job.status().unwrap();
    assert_eq!((status.counts.rows, status.counts.failed), (rows as u64, 0));
    assert!(seal.job.finish(&seal.spec).unwrap().is_clean());
    let expected = |column: &str, id: &str, writes: i64| match (column, writes) {
        ("drug", 1..) => format!("{} after {writes}", value("drug", id)),
        _ => value(column, id),
    };
    assert_eq!(database.check(&database.keys.unlocked(), "CAST(id AS TEXT)", expected), rows);
}

/// Updates rows of the chunk that the job is at until it is over: how many, and how long the slowest took.
fn write(database: &Database, seal: &super::Running, writer: i64, writers: i64, over: &AtomicBool) -> (u64, Duration) {
    let (keys, db) = (database.keys.unlocked(), database.connect());
    let (mut updates, mut slowest, mut at) = (0, Duration::ZERO, writer);
    while !over.load(Ordering::Relaxed) {
        let chunk = i64::from(seal.job.status().unwrap().chunks_done);
        at += writers;
        let id = (chunk * 200 + at % 200).max(1);
        let began = Instant::now();
        let change = db.unchecked_transaction().unwrap();
        // A number that nobody else has, since the lock is taken first.
        let writes =
            change.query_row("UPDATE rx SET writes = writes + 1 WHERE id = ?1 RETURNING writes", [id], |row| {
                row.get::<_, i64>(0)
            });
        let Ok(writes) = writes else { continue };
        let drug = format!("{} after {writes}", value("drug", &id.to_string()));
        let token = keys.record("jobs.rx", id).unwrap().seal::<Drug>(drug.as_str()).unwrap().to_string();
        assert_eq!(change.execute("UPDATE rx SET drug = ?2 WHERE id = ?1", params![id, token]).unwrap(), 1);
        change.commit().unwrap();
        updates += 1;
        slowest = slowest.max(began.elapsed());
    }
    (updates, slowest)
}
