//! Subject keys in an SQLite database: one row each.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::super::row::{check_keyspace, check_subject};
use super::row::{SubjectRow, impl_subject_key_store};
use super::{Retention, StoredSubject};
use crate::error::{Error, ErrorKind};
use crate::store::sqlite::Database;

const COLUMNS: &str = "subject, wrapped, shredded_at, retain_until, legal_hold";
const UPSERT: &str =
    "INSERT INTO rxseal_subject_keys (keyspace, subject, wrapped, shredded_at, retain_until, legal_hold)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT DO UPDATE SET wrapped = ?3, shredded_at = ?4, retain_until = ?5, legal_hold = ?6";

const LOG_IS_READ: &str = "the key is deleted, but another connection still reads an older state, so that the write-ahead log \
    could not be emptied: repeat it when that one has ended";

/// Wrapped subject keys in the table `rxseal_subject_keys` of an SQLite database (feature `sqlite-store`). Any number of
/// processes may use it, on a file system that keeps locks: a local one.
///
/// Keep it in a file of its own, apart from the data, with short-lived backups. What is shredded is written over with zeros in the
/// database file (`secure_delete`). Where somebody set the file to WAL mode, `shred` also empties the write-ahead log, and is
/// `store-unavailable` while another connection reads an older state from it: repeat it. Calls are short and block, so they also work
/// with [`run_local`](crate::run_local).
#[derive(Clone)]
pub struct SqliteSubjectStore(Arc<Database>);

impl SqliteSubjectStore {
    /// What [`open`](Self::open) creates where it is missing.
    pub const SCHEMA: &'static str = include_str!("../sql/subject_keys.sqlite.sql");

    /// Opens the database file, and makes it (for its owner only) and its table where they are missing. The folder must be there.
    ///
    /// # Errors
    ///
    /// `store-refused`: it is no SQLite database, or may not be read; `store-unavailable`: it is locked, or the disk failed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::of(Database::open(path.as_ref(), "rxseal_subject_keys", Self::SCHEMA)?)
    }

    /// Opens the database file to look into it: nothing is made. `None` where the file or its table is not there.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        Database::open_existing(path.as_ref(), "rxseal_subject_keys")?.map(Self::of).transpose()
    }

    fn of(database: Database) -> Result<Self, Error> {
        let secure = database.lock()?.execute_batch("PRAGMA secure_delete = ON;");
        secure.map_err(|error| database.failed(&error))?;
        Ok(Self(Arc::new(database)))
    }

    fn get_now(&self, keyspace: &str, subjects: &[&str]) -> Result<Vec<StoredSubject>, Error> {
        subjects.iter().try_for_each(|subject| check_subject(keyspace, subject))?;
        // One query for all, whatever their number.
        let list = serde_json::to_string(subjects).map_err(|_| ErrorKind::Unrepresentable)?;
        let rows = select_all(&*self.0.lock()?, keyspace, &list).map_err(|error| self.0.failed(&error))?;
        // No map that hashes: std's draws a random key for it, and panics where there is none.
        let mut found = BTreeMap::new();
        for row in rows {
            let (subject, row) = row.parse();
            found.insert(subject, row.stored());
        }
        // A subject that is named twice is there twice.
        Ok(subjects.iter().map(|subject| found.get(*subject).cloned().unwrap_or(StoredSubject::Absent)).collect())
    }

    /// One subject, read and written in one transaction.
    fn change<T>(
        &self,
        keyspace: &str,
        subject: &str,
        work: impl FnOnce(&mut SubjectRow) -> Result<T, Error>,
    ) -> Result<T, Error> {
        check_subject(keyspace, subject)?;
        let mut connection = self.0.lock()?;
        // Immediate: whoever reads first and writes later would be refused in between, without waiting.
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let change = begun.map_err(|error| self.0.failed(&error))?;
        let stored = select(&change, keyspace, subject).map_err(|error| self.0.failed(&error))?;
        let before = stored.map_or_else(SubjectRow::default, |row| row.parse().1);
        let mut after = before.clone();
        let result = work(&mut after)?;
        if after != before {
            write(&change, keyspace, subject, &after).map_err(|error| self.0.failed(&error))?;
        }
        change.commit().map_err(|error| self.0.failed(&error))?;
        if after.shredded_at.is_some() {
            self.empty_log(&connection)?;
        }
        Ok(result)
    }

    /// In WAL mode the key stands in the log too. Nothing is done in another mode. After every call that meets a tombstone: the one
    /// that left it may have been refused here.
    fn empty_log(&self, connection: &Connection) -> Result<(), Error> {
        let busy: bool = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|error| self.0.failed(&error))?;
        if busy { Err(self.0.trouble(true, LOG_IS_READ)) } else { Ok(()) }
    }

    fn retention_now(&self, keyspace: &str, subject: &str) -> Result<Retention, Error> {
        check_subject(keyspace, subject)?;
        let row = select(&*self.0.lock()?, keyspace, subject).map_err(|error| self.0.failed(&error))?;
        Ok(row.map_or_else(Retention::default, |row| row.parse().1.retention))
    }

    fn page_now(
        &self,
        keyspace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, StoredSubject)>, Error> {
        check_keyspace(keyspace)?;
        let rows = page(&*self.0.lock()?, keyspace, after.unwrap_or_default(), limit)
            .map_err(|error| self.0.failed(&error))?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let (subject, row) = row.parse();
            keys.push((subject, row.stored()));
        }
        Ok(keys)
    }
}

impl_subject_key_store!(SqliteSubjectStore);

impl fmt::Debug for SqliteSubjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSubjectStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

/// A row as it stands.
struct Stored {
    subject: String,
    wrapped: Option<Vec<u8>>,
    shredded_at: Option<i64>,
    retain_until: Option<i64>,
    legal_hold: bool,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            subject: row.get(0)?,
            wrapped: row.get(1)?,
            shredded_at: row.get(2)?,
            retain_until: row.get(3)?,
            legal_hold: row.get(4)?,
        })
    }

    fn parse(self) -> (String, SubjectRow) {
        // Before 1970 is nothing that is ever written; the tombstone counts all the same.
        let shredded_at = self.shredded_at.map(|at| u64::try_from(at).unwrap_or_default());
        let until = self.retain_until.map(|until| u64::try_from(until).unwrap_or_default());
        let retention = Retention::default().until(until).legal_hold(self.legal_hold);
        (self.subject, SubjectRow { key: self.wrapped, shredded_at, retention })
    }
}

fn select_all(connection: &Connection, keyspace: &str, list: &str) -> rusqlite::Result<Vec<Stored>> {
    let query = format!(
        "SELECT {COLUMNS} FROM rxseal_subject_keys
        WHERE keyspace = ?1 AND subject IN (SELECT value FROM json_each(?2))"
    );
    connection.prepare(&query)?.query_map([keyspace, list], Stored::read)?.collect()
}

fn select(connection: &Connection, keyspace: &str, subject: &str) -> rusqlite::Result<Option<Stored>> {
    let query = format!("SELECT {COLUMNS} FROM rxseal_subject_keys WHERE keyspace = ?1 AND subject = ?2");
    connection.prepare(&query)?.query_row([keyspace, subject], Stored::read).optional()
}

fn page(connection: &Connection, keyspace: &str, after: &str, limit: usize) -> rusqlite::Result<Vec<Stored>> {
    let query = format!(
        "SELECT {COLUMNS} FROM rxseal_subject_keys
        WHERE keyspace = ?1 AND subject > ?2 AND wrapped IS NOT NULL AND shredded_at IS NULL ORDER BY subject LIMIT ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection.prepare(&query)?.query_map(params![keyspace, after, limit], Stored::read)?.collect()
}

fn write(connection: &Connection, keyspace: &str, subject: &str, row: &SubjectRow) -> rusqlite::Result<()> {
    let wrapped = row.key.as_deref();
    let to_sql = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    let (shredded_at, until) = (row.shredded_at.map(to_sql), row.retention.retained_until().map(to_sql));
    let held = row.retention.is_held();
    connection.execute(UPSERT, params![keyspace, subject, wrapped, shredded_at, until, held]).map(drop)
}
