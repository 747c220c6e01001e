//! The database: one SQLite file. It never sees a plaintext and knows no key.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::checks::Failure;

/// STRICT, so that a text column accepts only text.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS prescription (
        id           TEXT PRIMARY KEY NOT NULL,
        patient      TEXT NOT NULL,
        authored     TEXT NOT NULL,
        patient_name TEXT NOT NULL,
        birth_date   TEXT NOT NULL,
        drug         TEXT NOT NULL,
        directions   TEXT,
        prescriber   TEXT NOT NULL,
        source       TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS prescription_by_patient ON prescription (patient);";

/// SQLite and serde both read and write JSON, so columns and fields are matched by their names here, and nowhere else.
const INSERT: &str = "
    INSERT INTO prescription
        (id, patient, authored, patient_name, birth_date, drug, directions, prescriber, source)
    SELECT ?1, ?2 ->> 'patient', ?2 ->> 'authored', ?2 ->> 'patient_name', ?2 ->> 'birth_date', ?2 ->> 'drug',
        ?2 ->> 'directions', ?2 ->> 'prescriber', ?2 ->> 'source'";

const UPDATE: &str = "
    UPDATE prescription SET
        patient_name = ?2 ->> 'patient_name', birth_date = ?2 ->> 'birth_date', drug = ?2 ->> 'drug',
        directions = ?2 ->> 'directions', prescriber = ?2 ->> 'prescriber', source = ?2 ->> 'source'
    WHERE id = ?1";

const COLUMNS: &str = "
    json_object('patient', patient, 'authored', authored, 'patient_name', patient_name, 'birth_date', birth_date,
        'drug', drug, 'directions', directions, 'prescriber', prescriber, 'source', source)";

/// Characters 5 to 12 of every token are its key's id, so plain SQL can show how far a rotation has come.
pub const COUNT_BY_KEY: &str = "SELECT substring(drug, 5, 8), count(*) FROM prescription GROUP BY 1";

/// The same for every sealed column: how many tokens are left under each key.
const TOKENS_BY_KEY: &str = "
    SELECT substring(token, 5, 8), count(*) FROM (
        SELECT patient_name AS token FROM prescription
        UNION ALL SELECT birth_date FROM prescription
        UNION ALL SELECT drug FROM prescription
        UNION ALL SELECT directions FROM prescription WHERE directions IS NOT NULL
        UNION ALL SELECT prescriber FROM prescription
        UNION ALL SELECT source FROM prescription
    ) GROUP BY 1";

/// A row: its id, and the other columns as a JSON object.
pub struct Stored {
    pub id: String,
    pub columns: String,
}

pub struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database at `path`, or creates it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let db = Connection::open(path)?;
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, path: path.to_owned() })
    }

    pub fn count(&self) -> Result<usize, Failure> {
        let count: i64 = self.db.query_row("SELECT count(*) FROM prescription", [], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// One row.
    pub fn row(&self, id: &str) -> Result<Stored, Failure> {
        row(&self.db, id)
    }

    /// Up to `limit` rows in the order of their ids, after the id `after`.
    pub fn page(&self, after: &str, limit: u32) -> Result<Vec<Stored>, Failure> {
        page(&self.db, after, limit)
    }

    /// Starts to write. Nobody else writes until the changes are committed, and nobody sees them before that.
    pub fn change(&mut self) -> Result<Change<'_>, Failure> {
        Ok(Change(self.db.transaction_with_behavior(TransactionBehavior::Immediate)?))
    }

    /// Rows by the key of their drug.
    pub fn count_by_key(&self) -> Result<Vec<(String, u64)>, Failure> {
        self.counts(COUNT_BY_KEY)
    }

    /// Tokens of all columns by their key.
    pub fn tokens_by_key(&self) -> Result<Vec<(String, u64)>, Failure> {
        self.counts(TOKENS_BY_KEY)
    }

    /// A row as a thief of the file reads it: over a separate connection, without a key.
    pub fn stolen(&self, id: &str) -> Result<Vec<(String, Option<String>)>, Failure> {
        let thief = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut query = thief.prepare("SELECT * FROM prescription WHERE id = ?1")?;
        let names: Vec<String> = query.column_names().into_iter().map(str::to_owned).collect();
        let columns = query.query_row([id], |row| {
            names.iter().enumerate().map(|(at, name)| Ok((name.clone(), row.get(at)?))).collect()
        })?;
        Ok(columns)
    }

    /// Two rows of different patients if there are any, else two rows of one patient, else one row twice.
    pub fn two_rows(&self) -> Result<(String, String), Failure> {
        let pair = "
            SELECT a.id, b.id FROM prescription a JOIN prescription b ON b.id =
                coalesce((SELECT id FROM prescription WHERE patient <> a.patient LIMIT 1),
                         (SELECT id FROM prescription WHERE id <> a.id LIMIT 1), a.id)
            LIMIT 1";
        Ok(self.db.query_row(pair, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    fn counts(&self, sql: &str) -> Result<Vec<(String, u64)>, Failure> {
        let mut query = self.db.prepare(sql)?;
        let rows = query.query_map([], |row| {
            let count: i64 = row.get(1)?;
            Ok((row.get(0)?, u64::try_from(count).unwrap_or_default()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Changes that are made together, or not at all if this is dropped before `commit`.
pub struct Change<'s>(Transaction<'s>);

impl Change<'_> {
    pub fn insert(&self, row: &Stored) -> Result<(), Failure> {
        self.0.prepare_cached(INSERT)?.execute(params![row.id, row.columns])?;
        Ok(())
    }

    pub fn update(&self, row: &Stored) -> Result<(), Failure> {
        self.0.prepare_cached(UPDATE)?.execute(params![row.id, row.columns])?;
        Ok(())
    }

    /// Like `Store::page`, but inside a change, so that nobody else writes a row between its reading and its update.
    pub fn page(&self, after: &str, limit: u32) -> Result<Vec<Stored>, Failure> {
        page(&self.0, after, limit)
    }

    /// Like `Store::row`.
    pub fn row(&self, id: &str) -> Result<Stored, Failure> {
        row(&self.0, id)
    }

    /// Replaces the drug of a row by any SQL expression, as somebody could who may write to the database. `others` is
    /// the drug of the row `donor`.
    pub fn tamper(&self, expression: &str, victim: &str, donor: &str) -> Result<bool, Failure> {
        let sql = format!(
            "UPDATE prescription SET drug = {expression}
             FROM (SELECT drug AS others FROM prescription WHERE id = ?2) WHERE id = ?1"
        );
        Ok(self.0.execute(&sql, params![victim, donor])? == 1)
    }

    pub fn commit(self) -> Result<(), Failure> {
        Ok(self.0.commit()?)
    }
}

fn row(db: &Connection, id: &str) -> Result<Stored, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM prescription WHERE id = ?1");
    let columns = db.prepare_cached(&sql)?.query_row([id], |row| row.get(0))?;
    Ok(Stored { id: id.to_owned(), columns })
}

fn page(db: &Connection, after: &str, limit: u32) -> Result<Vec<Stored>, Failure> {
    let sql = format!("SELECT id, {COLUMNS} FROM prescription WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map(params![after, limit], |row| Ok(Stored { id: row.get(0)?, columns: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
