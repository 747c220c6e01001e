//! Another program that changes rows while the job runs.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, params};
use rxseal::phi::Directions;
use rxseal::{KeyId, Keyring};

use crate::Failure;
use crate::job::RECORD_TYPE;
use crate::table::{self, directions};

/// Changes rows near the job until it is told to stop, and returns how often it changed each row.
pub fn write_until(
    stop: &AtomicBool,
    folder: &Path,
    keys: &Keyring,
    rows: i64,
    page: u32,
) -> Result<HashMap<i64, u32>, Failure> {
    let db = table::open(folder)?;
    let page = i64::from(page);
    let (mut revisions, mut place, mut changes) = (HashMap::new(), 1, 0);
    while !stop.load(Relaxed) {
        while place + page <= rows && is_resealed(&db, place, keys.primary_key())? {
            place += page;
        }
        changes += 1;
        // All over the page that the job is working on.
        let id = (place + changes * 7919 % page).min(rows);
        let revision = revisions.entry(id).or_insert(0);
        change(&db, keys, id, *revision + 1)?;
        *revision += 1;
        thread::sleep(Duration::from_micros(200));
    }
    Ok(revisions)
}

/// Writes new directions for row `id`, like a program that has the new keyring.
pub fn change(db: &Connection, keys: &Keyring, id: i64, revision: u32) -> Result<(), Failure> {
    let token = keys.record(RECORD_TYPE, id)?.seal::<Directions>(&directions(id, revision))?;
    let changed =
        db.prepare_cached("UPDATE prescription SET directions = ?2 WHERE id = ?1")?.execute(params![id, token])?;
    assert_eq!(changed, 1);
    Ok(())
}

/// Whether the job has resealed row `id`.
pub fn is_resealed(db: &Connection, id: i64, primary: KeyId) -> Result<bool, Failure> {
    let mut query = db.prepare_cached("SELECT substr(drug, 4, 6) = ?2 FROM prescription WHERE id = ?1")?;
    Ok(query.query_row(params![id, primary.as_bytes()], |row| row.get(0))?)
}
