//! A database file with a table of ours, and one connection to it that its callers take in turn.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rxseal::Error;
use rxseal::provider::{create_private_file, foreign_owner};

use crate::trouble::trouble;
use crate::wait::{BUSY_WAIT, wait_from_now, wait_on};

const HAS_TABLE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";

/// EXTRA is FULL, and syncs the folder when a journal is gone: after a power cut a change that was confirmed is still there.
/// `fullfsync` does for macOS what the others do by themselves.
const DURABLE: &str = "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON;";

pub(crate) struct Database {
    path: Box<Path>,
    /// The connection; nothing while a call has it.
    free: Mutex<Option<Connection>>,
    given_back: Condvar,
}

impl Database {
    /// Opens the file, and makes it and its table where they are missing.
    pub(crate) fn open(path: &Path, table: &str, schema: &str) -> Result<Self, Error> {
        Ok(Self::of(path, open_database(path, table, schema)?))
    }

    /// Opens the file, and makes nothing. `None` where it or its table is not there.
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

    /// Runs `work` on the connection: whoever waits for it, and then for another program, waits 5 seconds for both.
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

    /// Taking and giving back cannot panic, so what is in it is whole.
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What ends a call: an answer of ours, something of SQLite, or something about the file that a person has to know.
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

/// Gives the connection back when the call ends, also by a panic: its change is rolled back, so the connection stays good.
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

/// A connection to the database with this table, both made where they are missing.
fn open_database(path: &Path, table: &str, schema: &str) -> Result<Connection, Error> {
    // One at a time, since closing a file that is open
    // twice in a process takes away the locks that the other one has on it.
    static OPENING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    create_private_file(path)?;
    let opened =
        open_file(path, OpenFlags::SQLITE_OPEN_CREATE).and_then(|connection| with_table(connection, table, schema));
    opened.map_err(|error| trouble(path, &error))
}

fn with_table(mut connection: Connection, table: &str, schema: &str) -> rusqlite::Result<Connection> {
    // Asked first: where the table is there, nothing is written, and no other writer is waited for.
    if !connection.query_row(HAS_TABLE, [table], |row| row.get(0))? {
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute_batch(schema)?;
        change.commit()?;
    }
    Ok(connection)
}

/// What SQLite writes beside the file (`-journal`, `-wal`) belongs to whoever writes it, unless that is root, who gives it away: after a
/// crash the owner of the database could not read it. So who is neither may only look.
fn open_file(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    // No URI: a path is a path.
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
