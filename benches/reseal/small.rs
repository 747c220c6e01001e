//! Cases that the large run meets only by chance, on ten rows.

use std::collections::HashMap;

use rusqlite::Connection;
use rxseal::phi::Directions;
use rxseal::{Access, Keyring, Purpose, Token, run_local, testing};

use crate::Failure;
use crate::job::{self, Options, RECORD_TYPE, Summary, Tokens};
use crate::{table, writer};

const OPTIONS: Options = Options { page: 4, workers: 1 };
const ROWS: i64 = 10;

pub fn check() -> Result<(), Failure> {
    newer_value_stays()?;
    damaged_rows_stop_nothing()
}

/// A row that is changed between its reading and its writing keeps its newer value, and the next walk takes it up.
fn newer_value_stays() -> Result<(), Failure> {
    let (mut db, keys) = rotated()?;
    let page = job::read_page(&db, keys.primary_key(), 0, 4)?;
    let resealed = job::reseal_rows(&keys, 1, &page)?;
    writer::change(&db, &keys, 3, 1)?;
    let mut summary = Summary::default();
    job::write_page(&mut db, &page, resealed, &mut summary)?;
    assert_eq!((summary.resealed, summary.changed_meanwhile), (3, 1));
    let token: Token = db.query_row("SELECT directions FROM prescription WHERE id = 3", [], |row| row.get(0))?;
    let open = keys.record(RECORD_TYPE, 3)?.opened_by(&Access::new("job:check-reseal", Purpose::HSYSADMIN)?);
    assert_eq!(open.open::<Directions, String>(&token)?, table::directions(3, 1));
    let summary = job::reseal_table(&mut db, &keys, OPTIONS, |_| ())?;
    assert_eq!((summary.resealed, job::count_left(&db, keys.primary_key())?), (ROWS as u64 - 3, 0));
    table::check(&db, &keys, ROWS, &HashMap::from([(3, 1)]))
}

/// Exchanged tokens and values that are not tokens are reported and stay unchanged. All other rows are resealed.
fn damaged_rows_stop_nothing() -> Result<(), Failure> {
    let (mut db, keys) = rotated()?;
    db.execute_batch(
        "UPDATE prescription SET drug = (SELECT drug FROM prescription WHERE id = 3) WHERE id = 2;
         UPDATE prescription SET birth_date = x'00' WHERE id = 7;",
    )?;
    let before = damaged(&db)?;
    let summary = job::reseal_table(&mut db, &keys, OPTIONS, |_| ())?;
    let failed: Vec<_> = summary.failed.iter().map(|(id, error)| (*id, error.code().as_str())).collect();
    assert_eq!(failed, [(2, "open-failed"), (7, "not-a-token")]);
    assert_eq!((summary.resealed, job::count_left(&db, keys.primary_key())?), (ROWS as u64 - 2, 2));
    assert_eq!(damaged(&db)?, before, "a damaged row was written");
    Ok(())
}

/// A table in memory under a key that is no longer the primary.
fn rotated() -> Result<(Connection, Keyring), Failure> {
    let (roots, stored) = testing::insecure_keyring_file("pharmacy-17")?;
    let mut db = table::set_up(Connection::open_in_memory()?)?;
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored))?.unobserved();
    table::fill(&mut db, &keys, ROWS, OPTIONS.page, |_| ())?;
    let newer = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &stored))?;
    Ok((db, run_local(Keyring::unlock("pharmacy-17", &roots, &newer))?.unobserved()))
}

/// The tokens of the damaged rows.
fn damaged(db: &Connection) -> Result<Vec<Tokens>, Failure> {
    let mut query = db.prepare("SELECT * FROM prescription WHERE id IN (2, 7)")?;
    let rows = query.query_map([], |row| Ok(job::read_row(row)?.tokens))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
