//! The table: made-up prescriptions. Each value follows from its row's id, so that it can be checked.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};
use rxseal::keys::{KeyringFile, Suite};
use rxseal::page::{OpenPass, SealPass, open_page, seal_page};
use rxseal::phi::{BirthDate, Directions, Drug, PatientName, PrescriberName};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{Access, Error, Keyring, Purpose, run_local};

use crate::Failure;
use crate::job::{RECORD_TYPE, Tokens, read_row};

const KEYSPACE: &str = "pharmacy-17";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS prescription (
        id           INTEGER PRIMARY KEY,
        patient_name BLOB NOT NULL,
        birth_date   BLOB NOT NULL,
        drug         BLOB NOT NULL,
        directions   BLOB NOT NULL,
        prescriber   BLOB NOT NULL
    ) STRICT;";

const INSERT: &str = "INSERT INTO prescription VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Rows whose first four tokens are not all under one key, because they were only partly written. (Another program
/// writes the directions alone.)
const TORN: &str = "
    SELECT count(*) FROM prescription WHERE substr(patient_name, 4, 6) <> substr(birth_date, 4, 6)
        OR substr(patient_name, 4, 6) <> substr(drug, 4, 6) OR substr(patient_name, 4, 6) <> substr(prescriber, 4, 6)";

/// The database in `folder`. Created if there is none.
pub fn open(folder: &Path) -> Result<Connection, Failure> {
    set_up(Connection::open(folder.join("pharmacy.db"))?)
}

pub fn set_up(db: Connection) -> Result<Connection, Failure> {
    db.busy_timeout(Duration::from_secs(30))?;
    // A commit survives the end of the program. The last pages may be lost in a power cut, and would be resealed again.
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "normal")?;
    db.execute_batch(SCHEMA)?;
    Ok(db)
}

/// The keyring in `folder`. Created if there is none.
pub fn keys(folder: &Path) -> Result<Keyring, Failure> {
    let roots = RootKeys::from(RootKeyFile::new(folder.join("root.key")).load_or_create()?);
    let path = folder.join("keyring.json");
    if !path.exists() {
        fs::write(&path, run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, Suite::default()))?.to_string())?;
    }
    let stored: KeyringFile = fs::read_to_string(&path)?.parse()?;
    Ok(run_local(Keyring::unlock(KEYSPACE, &roots, &stored))?.unobserved())
}

/// Gives the keyring in `folder` a new primary key.
pub fn rotate(folder: &Path) -> Result<Keyring, Failure> {
    let roots = RootKeys::from(RootKeyFile::new(folder.join("root.key")).load_or_create()?);
    let path = folder.join("keyring.json");
    let stored: KeyringFile = fs::read_to_string(&path)?.parse()?;
    fs::write(&path, run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots, &stored))?.to_string())?;
    keys(folder)
}

/// Seals prescriptions 1 to `rows` and stores them.
pub fn fill(
    db: &mut Connection,
    keys: &Keyring,
    rows: i64,
    page: u32,
    mut progress: impl FnMut(usize),
) -> Result<(), Failure> {
    for ids in pages(rows, page) {
        let records = ids.iter().map(|id| keys.record(RECORD_TYPE, *id)).collect::<Result<Vec<_>, _>>()?;
        let tokens = seal_page(&records, |at, pass| seal_row(pass, ids[at]))?;
        insert(db, ids.iter().copied().zip(&tokens))?;
        progress(ids.len());
    }
    Ok(())
}

/// SQLite's part of `fill`: stores the same tokens again and again.
pub fn fill_with_copies(db: &mut Connection, keys: &Keyring, rows: i64, page: u32) -> Result<(), Failure> {
    let tokens = keys.record(RECORD_TYPE, 1)?.seal_fields(|pass| seal_row(pass, 1))?;
    for ids in pages(rows, page) {
        insert(db, ids.iter().map(|id| (*id, &tokens)))?;
    }
    Ok(())
}

fn pages(rows: i64, page: u32) -> impl Iterator<Item = Vec<i64>> {
    let page = i64::from(page);
    (0..rows).step_by(page as usize).map(move |first| (first + 1..=(first + page).min(rows)).collect())
}

fn insert<'t>(db: &mut Connection, rows: impl Iterator<Item = (i64, &'t Tokens)>) -> Result<(), Failure> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (id, [patient_name, birth_date, drug, directions, prescriber]) in rows {
        let params = params![id, patient_name, birth_date, drug, directions, prescriber];
        change.prepare_cached(INSERT)?.execute(params)?;
    }
    Ok(change.commit()?)
}

/// Opens every row and compares it with its expected value: nothing was lost, exchanged or torn. `revisions` is what
/// another program wrote.
pub fn check(db: &Connection, keys: &Keyring, rows: i64, revisions: &HashMap<i64, u32>) -> Result<(), Failure> {
    let count: i64 = db.query_row("SELECT count(*) FROM prescription", [], |row| row.get(0))?;
    assert_eq!((count, count_torn(db)?), (rows, 0), "rows, and rows that were written in part");
    let access = Access::new("job:check-reseal", Purpose::HSYSADMIN)?;
    let mut query = db.prepare(
        "SELECT id, patient_name, birth_date, drug, directions, prescriber FROM prescription
         WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    )?;
    for ids in pages(rows, 1000) {
        let read = query.query_map([ids[0], ids[ids.len() - 1]], read_row)?.collect::<Result<Vec<_>, _>>()?;
        assert!(read.iter().map(|row| row.id).eq(ids.iter().copied()));
        let records = ids.iter().map(|id| keys.record(RECORD_TYPE, *id)).collect::<Result<Vec<_>, _>>()?;
        let opened = open_page(&records, &access, |at, pass| open_row(pass, &read[at].tokens))?;
        for (id, opened) in ids.iter().zip(opened) {
            assert!(
                opened == values(*id, revisions.get(id).copied().unwrap_or_default()),
                "row {id} holds another value"
            );
        }
    }
    Ok(())
}

/// Rows that were only partly written.
pub fn count_torn(db: &Connection) -> Result<i64, Failure> {
    Ok(db.query_row(TORN, [], |row| row.get(0))?)
}

fn seal_row(pass: &mut SealPass<'_>, id: i64) -> Result<Tokens, Error> {
    let [patient_name, birth_date, drug, directions, prescriber] = values(id, 0);
    Ok([
        pass.seal::<PatientName>(&patient_name)?.into_bytes(),
        pass.seal::<BirthDate>(&birth_date)?.into_bytes(),
        pass.seal::<Drug>(&drug)?.into_bytes(),
        pass.seal::<Directions>(&directions)?.into_bytes(),
        pass.seal::<PrescriberName>(&prescriber)?.into_bytes(),
    ])
}

fn open_row(
    pass: &mut OpenPass<'_>,
    [patient_name, birth_date, drug, directions, prescriber]: &Tokens,
) -> Result<[String; 5], Error> {
    Ok([
        open_field::<PatientName>(pass, patient_name)?,
        open_field::<BirthDate>(pass, birth_date)?,
        open_field::<Drug>(pass, drug)?,
        open_field::<Directions>(pass, directions)?,
        open_field::<PrescriberName>(pass, prescriber)?,
    ])
}

fn open_field<F: rxseal::Field>(pass: &mut OpenPass<'_>, token: &[u8]) -> Result<String, Error> {
    let mut bytes = Vec::new();
    pass.open_into::<F>(token, &mut bytes)?;
    Ok(String::from_utf8(bytes).expect("every field of the table is text"))
}

/// The expected content of row `id`.
fn values(id: i64, revision: u32) -> [String; 5] {
    [
        format!("{} {} of row {id}", pick(&GIVEN, id), pick(&FAMILY, id / 7)),
        format!("{}-{:02}-{:02}", 1931 + id % 88, 1 + id % 12, 1 + id % 28),
        format!("{} {} MG Oral Tablet", pick(&DRUGS, id / 3), 5 * (1 + id % 40)),
        directions(id, revision),
        format!("Dr. {} {}", pick(&GIVEN, id / 11), pick(&FAMILY, id)),
    ]
}

/// The field that another program writes while the job runs.
pub fn directions(id: i64, revision: u32) -> String {
    format!("Take {} tablet by mouth every {} hours. (revision {revision})", 1 + id % 2, 4 + id % 20)
}

fn pick<'l>(list: &[&'l str], number: i64) -> &'l str {
    list[number as usize % list.len()]
}

const GIVEN: [&str; 7] = ["Abigail", "Benjamin", "Corrin", "Dmitri", "Eleanor", "Fatima", "Joaquín"];
const FAMILY: [&str; 5] = ["Gerhold-Whitfield", "Nakamura", "O'Sullivan", "Ramachandran", "Van der Berg"];
const DRUGS: [&str; 5] = ["lisinopril", "warfarin sodium", "atorvastatin", "levothyroxine sodium", "sertraline"];
