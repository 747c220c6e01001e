//! The database: one SQLite file. It never sees a plaintext and knows no key.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Error, OpenFlags, Row, Transaction, TransactionBehavior, params};
use rxseal::{Sealed, Token};

use crate::checks::Failure;
use crate::prescription::{SealedPatient, SealedPrescription};

/// STRICT, so that a text column accepts only text. Tokens are text here, to be looked at. A BLOB is a third shorter:
/// write `&row.drug` in place of `row.drug.to_text()`.
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
        source       TEXT NOT NULL,
        tag          TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS prescription_by_patient ON prescription (patient);
    CREATE TABLE IF NOT EXISTS patient (
        id           TEXT PRIMARY KEY NOT NULL,
        birth_date   TEXT NOT NULL,
        born_on      TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS patient_born_on ON patient (born_on);";

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
        UNION ALL SELECT tag FROM prescription
        UNION ALL SELECT birth_date FROM patient
    ) GROUP BY 1";

/// A row, or why it cannot be read. One bad row must not hide the others.
pub type Stored = Result<SealedPrescription, rxseal::Error>;

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
        let is_older = db.table_exists(None, "prescription")?
            && !(db.column_exists(None, "prescription", "tag")? && db.table_exists(None, "patient")?);
        if is_older {
            let what = "an older release of this example made this database, without record tags or search: give a new folder with --dir";
            return Err(Failure::new(what).about(path));
        }
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
    pub fn page(&self, after: &str, limit: u32) -> Result<Vec<(String, Stored)>, Failure> {
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

    /// The patients with one of these values in the search column, as text.
    pub fn born_on(&self, values: &[String]) -> Result<Vec<SealedPatient>, Failure> {
        let placeholders = vec!["?"; values.len()].join(", ");
        let sql = format!("SELECT id, birth_date, born_on FROM patient WHERE born_on IN ({placeholders}) ORDER BY id");
        let mut query = self.db.prepare(&sql)?;
        let rows = query.query_map(rusqlite::params_from_iter(values), patient)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All patients.
    pub fn patients(&self) -> Result<Vec<SealedPatient>, Failure> {
        let mut query = self.db.prepare("SELECT id, birth_date, born_on FROM patient ORDER BY id")?;
        let rows = query.query_map([], patient)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The five values of the search column that most rows have, as a thief of the file finds them.
    pub fn stolen_values(&self) -> Result<Vec<String>, Failure> {
        let thief = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let commonest =
            "SELECT born_on FROM patient WHERE born_on IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 5";
        let mut query = thief.prepare(commonest)?;
        let values = query.query_map([], |row| row.get(0))?;
        Ok(values.collect::<Result<_, _>>()?)
    }

    /// Two rows of different patients if there are any, else two rows of one patient, else one row twice. The first has
    /// directions if any has.
    pub fn two_rows(&self) -> Result<(String, String), Failure> {
        let pair = "
            SELECT a.id, b.id FROM (SELECT * FROM prescription ORDER BY directions IS NULL LIMIT 1) a
            JOIN prescription b ON b.id =
                coalesce((SELECT id FROM prescription WHERE patient <> a.patient LIMIT 1),
                         (SELECT id FROM prescription WHERE id <> a.id LIMIT 1), a.id)";
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
    /// Writes a row, a new one or a changed one.
    pub fn put(&self, row: &SealedPrescription) -> Result<(), Failure> {
        self.0.prepare_cached("REPLACE INTO prescription VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(
            params![
                row.id,
                row.patient,
                row.authored,
                row.patient_name.to_text(),
                row.birth_date.to_text(),
                row.drug.to_text(),
                row.directions.as_ref().map(Sealed::to_text),
                row.prescriber.to_text(),
                row.source.to_text(),
                row.tag.text()?,
            ],
        )?;
        Ok(())
    }

    /// Writes a patient, a new one or a changed one.
    pub fn put_patient(&self, row: &SealedPatient) -> Result<(), Failure> {
        let born_on = row.born_on.map(|value| value.to_string());
        self.0.prepare_cached("REPLACE INTO patient VALUES (?1, ?2, ?3)")?.execute(params![
            row.id,
            row.birth_date.to_text(),
            born_on
        ])?;
        Ok(())
    }

    /// Like `Store::page`, but inside a change, so that nobody else writes a row between its reading and its update.
    pub fn page(&self, after: &str, limit: u32) -> Result<Vec<(String, Stored)>, Failure> {
        page(&self.0, after, limit)
    }

    /// Like `Store::row`.
    pub fn row(&self, id: &str) -> Result<Stored, Failure> {
        row(&self.0, id)
    }

    /// Puts any SQL expression into a column of a row, as somebody could who may write to the database. `others` is the
    /// drug of the row `donor`, and `old` are the directions of another time.
    pub fn tamper(
        &self,
        (column, expression): (&str, &str),
        victim: &str,
        donor: &str,
        old: Option<&Token>,
    ) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE prescription SET {column} = {expression}
             FROM (SELECT drug AS others, ?3 AS old FROM prescription WHERE id = ?2) WHERE id = ?1"
        );
        self.0.execute(&sql, params![victim, donor, old.map(Token::to_string)])?;
        Ok(())
    }

    pub fn commit(self) -> Result<(), Failure> {
        Ok(self.0.commit()?)
    }
}

fn row(db: &Connection, id: &str) -> Result<Stored, Failure> {
    Ok(db.prepare_cached("SELECT * FROM prescription WHERE id = ?1")?.query_row([id], stored)?)
}

fn page(db: &Connection, after: &str, limit: u32) -> Result<Vec<(String, Stored)>, Failure> {
    let mut query = db.prepare_cached("SELECT * FROM prescription WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let rows = query.query_map(params![after, limit], |row| Ok((row.get("id")?, stored(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn patient(row: &Row<'_>) -> rusqlite::Result<SealedPatient> {
    Ok(SealedPatient { id: row.get("id")?, birth_date: row.get("birth_date")?, born_on: row.get("born_on")? })
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    match sealed(row) {
        // What is in a column is no token.
        Err(Error::FromSqlConversionFailure(at, kind, error)) => match error.downcast::<rxseal::Error>() {
            Ok(error) => Ok(Err(*error)),
            Err(error) => Err(Error::FromSqlConversionFailure(at, kind, error)),
        },
        sealed => sealed.map(Ok),
    }
}

fn sealed(row: &Row<'_>) -> rusqlite::Result<SealedPrescription> {
    Ok(SealedPrescription {
        id: row.get("id")?,
        patient: row.get("patient")?,
        authored: row.get("authored")?,
        patient_name: row.get("patient_name")?,
        birth_date: row.get("birth_date")?,
        drug: row.get("drug")?,
        directions: row.get("directions")?,
        prescriber: row.get("prescriber")?,
        source: row.get("source")?,
        tag: row.get("tag")?,
    })
}
