//! Subject keys in an SQLite database: one row each.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use rxseal::Error;
use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable};
use rxseal::store::StoreFuture;

use crate::database::{CallError, Database};

const TABLE: &str = "rxseal_subject_keys";
const COLUMNS: &str = "subject, wrapped, shredded_at, retain_until, legal_hold";
const UPSERT: &str =
    "INSERT INTO rxseal_subject_keys (keyspace, subject, wrapped, shredded_at, retain_until, legal_hold)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT DO UPDATE SET wrapped = ?3, shredded_at = ?4, retain_until = ?5, legal_hold = ?6";

const LOG_IS_READ: &str = "the key is deleted, but the write-ahead log could not be emptied, because another connection still reads an \
    older state. Repeat the call when that connection has ended";

/// Wrapped subject keys in the table `rxseal_subject_keys` of an SQLite database. Any number of processes may use it,
/// on a local file system, since it must support locks.
///
/// Keep it in a file of its own, apart from the data, with short-lived backups. A shredded key is overwritten with
/// zeros in the database file (`secure_delete`). If the file is in WAL mode, `shred` also empties the write-ahead log.
/// While another connection reads an older state from that log, `shred` is `store-unavailable`: repeat it. Calls are
/// short and block, so they also work with [`run_local`](rxseal::run_local).
#[derive(Clone)]
pub struct SqliteSubjectStore(Arc<Database>);

impl SqliteSubjectStore {
    /// The table that [`open`](Self::open) creates if it is missing.
    pub const SCHEMA: &'static str = include_str!("sql/subject_keys.sql");

    /// Opens the database file. Creates the file (for its owner only) and its table if they are missing. The folder
    /// must exist.
    ///
    /// # Errors
    ///
    /// `store-refused` if it is not an SQLite database or may not be read. `store-unavailable` if it is locked or the
    /// disk failed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::of(Database::open(path.as_ref(), TABLE, Self::SCHEMA)?)
    }

    /// Opens the database file and creates nothing. `None` if the file or its table does not exist.
    ///
    /// # Errors
    ///
    /// The same as [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        Database::open_existing(path.as_ref(), TABLE)?.map(Self::of).transpose()
    }

    fn of(database: Database) -> Result<Self, Error> {
        database.call(|connection| Ok(connection.execute_batch("PRAGMA secure_delete = ON;")?))?;
        Ok(Self(Arc::new(database)))
    }

    fn rows_now(&self, keyspace: &str, subjects: &[&str]) -> Result<SubjectRows, Error> {
        // One query for all subjects.
        let list = serde_json::to_string(subjects)
            .map_err(|_| Error::from_store(false, "the list of names cannot be written as JSON"))?;
        self.0.call(|connection| Ok(select_all(connection, keyspace, &list)?))
    }

    fn change_now(&self, keyspace: &str, subject: &str, change: SubjectChange<'_>) -> Result<SubjectRow, Error> {
        self.0.call(|connection| {
            let after = change_row(connection, keyspace, subject, change)?;
            if after.shredded_at.is_some() {
                empty_log(connection)?;
            }
            Ok(after)
        })
    }

    fn rows_after_now(&self, keyspace: &str, after: &str, limit: usize) -> Result<SubjectRows, Error> {
        self.0.call(|connection| Ok(page(connection, keyspace, after, limit)?))
    }
}

impl SubjectTable for SqliteSubjectStore {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move { self.rows_now(keyspace, subjects) })
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(async move { self.change_now(keyspace, subject, change) })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move { self.rows_after_now(keyspace, after, limit) })
    }
}

impl fmt::Debug for SqliteSubjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSubjectStore").field("path", &self.0.path()).finish_non_exhaustive()
    }
}

/// One subject, read and written in one transaction.
fn change_row(
    connection: &mut Connection,
    keyspace: &str,
    subject: &str,
    change: SubjectChange<'_>,
) -> Result<SubjectRow, CallError> {
    // Immediate: SQLite would refuse, without waiting, a transaction that reads first and writes later if another wrote
    // between.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = select(&transaction, keyspace, subject)?.unwrap_or_default();
    let after = change.apply(&before)?;
    if after != before {
        write(&transaction, keyspace, subject, after.clone())?;
    }
    transaction.commit()?;
    Ok(after)
}

/// In WAL mode the log also holds the key. In other modes this does nothing. It runs after every call that finds a
/// tombstone, since the call that wrote the tombstone may have been refused here.
fn empty_log(connection: &Connection) -> Result<(), CallError> {
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy { Err(CallError::Trouble(true, LOG_IS_READ)) } else { Ok(()) }
}

fn read(row: &Row<'_>) -> rusqlite::Result<SubjectRow> {
    Ok(SubjectRow::from_columns((row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
}

fn read_named(row: &Row<'_>) -> rusqlite::Result<(String, Result<SubjectRow, Error>)> {
    Ok((row.get(0)?, Ok(read(row)?)))
}

fn select_all(connection: &Connection, keyspace: &str, list: &str) -> rusqlite::Result<SubjectRows> {
    let query = format!(
        "SELECT {COLUMNS} FROM rxseal_subject_keys
        WHERE keyspace = ?1 AND subject IN (SELECT value FROM json_each(?2))"
    );
    connection.prepare(&query)?.query_map([keyspace, list], read_named)?.collect()
}

fn select(connection: &Connection, keyspace: &str, subject: &str) -> rusqlite::Result<Option<SubjectRow>> {
    let query = format!("SELECT {COLUMNS} FROM rxseal_subject_keys WHERE keyspace = ?1 AND subject = ?2");
    connection.prepare(&query)?.query_row([keyspace, subject], read).optional()
}

fn page(connection: &Connection, keyspace: &str, after: &str, limit: usize) -> rusqlite::Result<SubjectRows> {
    let query = format!(
        "SELECT {COLUMNS} FROM rxseal_subject_keys
        WHERE keyspace = ?1 AND subject > ?2 AND wrapped IS NOT NULL AND shredded_at IS NULL ORDER BY subject LIMIT ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection.prepare(&query)?.query_map(params![keyspace, after, limit], read_named)?.collect()
}

fn write(connection: &Connection, keyspace: &str, subject: &str, row: SubjectRow) -> rusqlite::Result<()> {
    let (wrapped, shredded_at, until, held) = row.into_columns();
    connection.execute(UPSERT, params![keyspace, subject, wrapped, shredded_at, until, held]).map(drop)
}
