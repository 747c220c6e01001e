//! The job: after a rotation, it reseals every row of a table to the key that seals now. It is written to be copied.
//! The code around it makes the table, kills the job, races with it and checks it.
//!
//! - **The rows show what is left.** Bytes 4 to 9 of a token are its key's id. So plain SQL finds the rows that are not
//!   under the primary key yet, without a key and without an index. The job does not store its position. A stored
//!   position is wrong after a restored backup, after one more rotation, and if a program that had not loaded the new
//!   keyring yet wrote behind it. When it is started again, the job walks over the finished rows, which is many times
//!   faster than resealing them.
//! - **A page is a transaction.** If the job is killed at any point, some pages are finished and all other rows are
//!   unchanged. Both keys open meanwhile, so no reader notices.
//! - **A newer value is never overwritten.** Nothing is locked while a page is resealed, so other programs may write. A
//!   row is written only if it still contains the tokens that were read. Otherwise it is left unchanged for the next
//!   walk.
//! - **A row that does not open stops nothing.** It stays unchanged and is reported. Find out what happened to it
//!   before its key is destroyed.
//!
//! Rotate, have every program load the new keyring, then run this. The old key can go when no row is left.

use std::thread;

use rusqlite::{Connection, Row as SqlRow, TransactionBehavior, params};
use rxseal::page::{ResealPass, reseal_page};
use rxseal::phi::{BirthDate, Directions, Drug, PatientName, PrescriberName};
use rxseal::{Error, Field, KeyId, Keyring};

use crate::Failure;

pub const RECORD_TYPE: &str = "prescription";

/// The rows that are not under key `?1` yet. A null column does not count.
const LEFT: &str = "
    (substr(patient_name, 4, 6) <> ?1 OR substr(birth_date, 4, 6) <> ?1 OR substr(drug, 4, 6) <> ?1
        OR substr(directions, 4, 6) <> ?1 OR substr(prescriber, 4, 6) <> ?1)";

/// Only if nobody changed it meanwhile. (For columns that may be null, use `IS` instead of `=`.)
const UPDATE: &str = "
    UPDATE prescription SET patient_name = ?2, birth_date = ?3, drug = ?4, directions = ?5, prescriber = ?6
    WHERE id = ?1 AND patient_name = ?7 AND birth_date = ?8 AND drug = ?9 AND directions = ?10 AND prescriber = ?11";

/// A row's binary tokens: patient name, birth date, drug, directions, prescriber.
pub type Tokens = [Vec<u8>; 5];

pub struct Row {
    pub id: i64,
    pub tokens: Tokens,
}

#[derive(Clone, Copy)]
pub struct Options {
    /// Rows that are read, resealed and committed together.
    pub page: u32,
    /// Threads that reseal.
    pub workers: usize,
}

#[derive(Default)]
pub struct Summary {
    pub resealed: u64,
    /// Rows that are left to the next walk, because another program wrote them.
    pub changed_meanwhile: u64,
    /// Rows that stay unchanged, and why.
    pub failed: Vec<(i64, Error)>,
}

/// Reseals all rows that are left. After each page, `progress` gets the number of its rows.
pub fn reseal_table(
    db: &mut Connection,
    keys: &Keyring,
    mut options: Options,
    mut progress: impl FnMut(usize),
) -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    loop {
        let changed_before = summary.changed_meanwhile;
        summary.failed.clear(); // Each walk meets them again.
        walk(db, keys, options, &mut summary, &mut progress)?;
        if summary.changed_meanwhile == changed_before {
            return Ok(summary);
        }
        // Some rows are written to all the time. A smaller page leaves less time for that.
        options.page = (options.page / 10).max(1);
    }
}

/// How many rows are left. When this is zero in all tables, the old key may be destroyed.
pub fn count_left(db: &Connection, primary: KeyId) -> Result<u64, Failure> {
    let sql = format!("SELECT count(*) FROM prescription WHERE {LEFT}");
    let count: i64 = db.query_row(&sql, [primary.as_bytes()], |row| row.get(0))?;
    Ok(u64::try_from(count)?)
}

/// One walk over the rows that are left, in the order of their ids.
fn walk(
    db: &mut Connection,
    keys: &Keyring,
    options: Options,
    summary: &mut Summary,
    progress: &mut impl FnMut(usize),
) -> Result<(), Failure> {
    let mut after = i64::MIN;
    loop {
        let page = read_page(db, keys.primary_key(), after, options.page)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let resealed = reseal_rows(keys, options.workers, &page)?;
        write_page(db, &page, resealed, summary)?;
        progress(page.len());
    }
}

/// The next rows that are left.
pub fn read_page(db: &Connection, primary: KeyId, after: i64, limit: u32) -> Result<Vec<Row>, Failure> {
    let sql = format!(
        "SELECT id, patient_name, birth_date, drug, directions, prescriber FROM prescription
         WHERE id > ?2 AND {LEFT} ORDER BY id LIMIT ?3"
    );
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map(params![primary.as_bytes(), after, limit], read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Columns are read as bytes: a value that is not a token fails when it is resealed, and fails only its own row.
pub fn read_row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row { id: row.get(0)?, tokens: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?] })
}

/// The new tokens of each row, or why it has none.
pub fn reseal_rows(keys: &Keyring, workers: usize, rows: &[Row]) -> Result<Vec<Result<Tokens, Error>>, Error> {
    if workers <= 1 {
        return reseal_part(keys, rows);
    }
    thread::scope(|scope| {
        let part = rows.len().div_ceil(workers).max(1);
        let parts: Vec<_> = rows.chunks(part).map(|rows| scope.spawn(|| reseal_part(keys, rows))).collect();
        let mut all = Vec::with_capacity(rows.len());
        for part in parts {
            all.extend(part.join().expect("a worker panicked")?);
        }
        Ok(all)
    })
}

fn reseal_part(keys: &Keyring, rows: &[Row]) -> Result<Vec<Result<Tokens, Error>>, Error> {
    let records = rows.iter().map(|row| keys.record(RECORD_TYPE, row.id)).collect::<Result<Vec<_>, _>>()?;
    // A row's error is a result like any other: an error of the closure itself would end the page.
    reseal_page(&records, |at, pass| Ok(reseal_row(pass, &rows[at].tokens)))
}

fn reseal_row(
    pass: &mut ResealPass<'_>,
    [patient_name, birth_date, drug, directions, prescriber]: &Tokens,
) -> Result<Tokens, Error> {
    Ok([
        reseal::<PatientName>(pass, patient_name)?,
        reseal::<BirthDate>(pass, birth_date)?,
        reseal::<Drug>(pass, drug)?,
        reseal::<Directions>(pass, directions)?,
        reseal::<PrescriberName>(pass, prescriber)?,
    ])
}

fn reseal<F: Field>(pass: &mut ResealPass<'_>, token: &[u8]) -> Result<Vec<u8>, Error> {
    let mut resealed = Vec::with_capacity(token.len());
    pass.reseal_into::<F>(token, &mut resealed)?;
    Ok(resealed)
}

/// Writes a page in one transaction. It takes the lock at once and holds it for as long as the page is written.
pub fn write_page(
    db: &mut Connection,
    page: &[Row],
    resealed: Vec<Result<Tokens, Error>>,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (row, resealed) in page.iter().zip(resealed) {
        match resealed {
            Ok(new) if update(&change, row, &new)? => summary.resealed += 1,
            Ok(_) => summary.changed_meanwhile += 1,
            Err(error) => summary.failed.push((row.id, error)),
        }
    }
    Ok(change.commit()?)
}

/// Whether the row was unchanged since it was read, and was written.
fn update(db: &Connection, Row { id, tokens: old }: &Row, new: &Tokens) -> Result<bool, Failure> {
    let mut update = db.prepare_cached(UPDATE)?;
    let params = params![id, new[0], new[1], new[2], new[3], new[4], old[0], old[1], old[2], old[3], old[4]];
    Ok(update.execute(params)? == 1)
}
