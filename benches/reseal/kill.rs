//! Kills the job several times while another program writes to the table, and then lets it finish.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use rusqlite::Connection;
use rxseal::Keyring;

use crate::measure::Report;
use crate::writer::{is_resealed, write_until};
use crate::{Bench, Failure, Step, job, table};

/// The points at which the job is killed, in quarters of the table.
const KILLED_AT: [i64; 3] = [1, 2, 3];

/// Returns what the other program wrote.
pub fn check(bench: &Bench<'_>) -> Result<HashMap<i64, u32>, Failure> {
    let keys = table::rotate(bench.folder)?;
    let db = table::open(bench.folder)?;
    let (report, revisions) = race(bench, &keys, &db)?;
    assert_eq!(job::count_left(&db, keys.primary_key())?, 0);
    table::check(&db, &keys, bench.rows, &revisions)?;
    let writes = revisions.values().map(|revision| u64::from(*revision)).sum::<u64>();
    println!("resumed: the last {} rows in {:.2} s", report.rows, report.seconds);
    println!("another program wrote meanwhile: {writes} times, to {} rows", revisions.len());
    println!("left to it, and taken up again: {} rows since the last kill", report.changed_meanwhile);
    println!("every row was opened: none is lost, torn or exchanged, and each holds what was written last");
    Ok(revisions)
}

/// The report of the last job, which was not killed, and what the other program wrote.
fn race(bench: &Bench<'_>, keys: &Keyring, db: &Connection) -> Result<(Report, HashMap<i64, u32>), Failure> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write_until(&stop, bench.folder, keys, bench.rows, bench.page));
        let finished = KILLED_AT.iter().try_for_each(|quarters| kill_at(bench, keys, db, quarters * bench.rows / 4));
        let finished = finished.and_then(|()| bench.child(Step::Reseal, 1)?.report());
        stop.store(true, Relaxed);
        let revisions = writer.join().expect("the other program panicked");
        Ok((finished?, revisions?))
    })
}

/// Starts the job and kills it at row `id`. For the program, this is like a power cut.
fn kill_at(bench: &Bench<'_>, keys: &Keyring, db: &Connection, id: i64) -> Result<(), Failure> {
    let mut process = bench.child(Step::Reseal, 1)?.0;
    while !is_resealed(db, id, keys.primary_key())? && process.try_wait()?.is_none() {
        thread::yield_now();
    }
    process.kill()?;
    let status = process.wait()?;
    let (left, torn) = (job::count_left(db, keys.primary_key())?, table::count_torn(db)?);
    let ended = match status.code() {
        None => status.to_string(),
        Some(0) => "it had ended before".to_owned(),
        Some(_) => return Err(format!("the job failed: {status}").into()),
    };
    println!("killed ({ended}): {left} of {} rows are left, {torn} are torn", bench.rows);
    assert_eq!(torn, 0);
    Ok(())
}
