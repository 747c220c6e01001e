//! A database file with a table of ours. Its callers share one connection, one at a time.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rxseal::Error;
use rxseal::provider::{create_private_file, foreign_owner};

use crate::trouble::trouble;
use crate::wait::{BUSY_WAIT, wait_from_now, wait_on};

const HAS_TABLE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";

/// EXTRA is FULL and also syncs the folder when a journal is removed: a confirmed change survives a power cut.
/// `fullfsync` makes macOS do what the other systems do anyway.
const DURABLE: &str = "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON;";

pub(crate) struct Database {
    path: Box<Path>,
    /// The connection. `None` while a call has it.
    free: Mutex<Option<Connection>>,
    given_back: Condvar,
}

impl Database {
    /// Opens the file. Creates the file and its table if they are missing.
    pub(crate) fn open(path: &Path, table: &str, schema: &str) -> Result<Self, Error> {
        Ok(Self::of(path, open_database(path, table, schema)?))
    }

    /// Opens the file and creates nothing. `None` if the file or its table does not exist.
    pub(crate) fn open_existing(path: &Path, table: &str) -> Result<Option<Self>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let opened = open_file(path, OpenFlags::empty()).and_then(|connection| {
            let has_table = connection.query_row(HAS_TABLE, [table], |row| row.get(0))?;
            Ok(if has_table { Some(connection) } else { None })
        });
        let connection = opened.map_err(|error| trouble(path, &error))?;
        Ok(connection.map(|connection| Self::of(path, connection)))
    }

    fn of(path: &Path, connection: Connection) -> Self {
        Self { path: path.into(), free: Mutex::new(Some(connection)), given_back: Condvar::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on the connection. The wait for other calls and the wait for another program end after 5 seconds in
    /// total.
    pub(crate) fn call<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, CallError>) -> Result<T, Error> {
        wait_from_now();
        let free = self.given_back.wait_timeout_while(self.lock(), BUSY_WAIT, |free| free.is_none());
        let (mut free, _) = free.unwrap_or_else(PoisonError::into_inner);
        let mut turn = Turn { database: self, connection: free.take() };
        drop(free);
        let ended = match &mut turn.connection {
            Some(connection) => work(connection),
            None => Err(CallError::Trouble(true, "calls before this one waited for another program for 5 seconds")),
        };
        ended.map_err(|error| match error {
            CallError::Own(error) => error,
            CallError::Sqlite(error) => trouble(&self.path, &error),
            CallError::Trouble(retryable, what) => {
                Error::from_store(retryable, format!("{}: {what}", self.path.display()))
            }
        })
    }

    /// Nothing can panic while the lock is held, so the content is whole.
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a call ends early: an answer of ours, an error of SQLite, or a fact about the file that a person has to know.
pub(crate) enum CallError {
    Own(Error),
    Sqlite(rusqlite::Error),
    /// Whether the same call may succeed later, and what to do.
    Trouble(bool, &'static str),
}

impl From<rusqlite::Error> for CallError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

/// Gives the connection back when the call ends, even by a panic. A panic rolls the change back, so the connection
/// stays usable.
struct Turn<'a> {
    database: &'a Database,
    connection: Option<Connection>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            *self.database.lock() = Some(connection);
            self.database.given_back.notify_one();
        }
    }
}

/// A connection to the database with this table. Creates both if they are missing.
fn open_database(path: &Path, table: &str, schema: &str) -> Result<Connection, Error> {
    // One at a time: if a file is open twice in a process, closing one handle takes the locks of the other away.
    static OPENING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    create_private_file(path)?;
    let opened =
        open_file(path, OpenFlags::SQLITE_OPEN_CREATE).and_then(|connection| with_table(connection, table, schema));
    opened.map_err(|error| trouble(path, &error))
}

fn with_table(mut connection: Connection, table: &str, schema: &str) -> rusqlite::Result<Connection> {
    // Checked first: if the table exists, nothing is written and no other writer is waited for.
    if !connection.query_row(HAS_TABLE, [table], |row| row.get(0))? {
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute_batch(schema)?;
        change.commit()?;
    }
    Ok(connection)
}

/// The files that SQLite writes next to the database (`-journal`, `-wal`) belong to the user who writes them, unless
/// that is root, who gives them away. After a crash the database's owner could not read them. So a user who is neither
/// the owner nor root may only read.
fn open_file(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    // Not a URI: the path is only a path.
    let flags = match foreign_owner(path) {
        None => OpenFlags::SQLITE_OPEN_READ_WRITE | more,
        Some(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    wait_from_now();
    connection.busy_handler(Some(wait_on))?;
    connection.execute_batch(DURABLE)?;
    Ok(connection)
}
