//! Keyrings in an SQLite database: one row each, changed by one transaction.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::row::{StoredKeyring, check_keyspace, check_order, to_sql};
use super::{KeyringStore, StoreFuture};
use crate::disk::{create_private_file, foreign_owner};
use crate::error::{Error, ErrorKind};
use crate::key::KeyringFile;

/// How long a call waits for another connection that is writing. A change takes milliseconds.
pub(crate) const SQLITE_BUSY_WAIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);

const HAS_TABLE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
const GET: &str = "SELECT generation, file, length(CAST(file AS BLOB)) FROM rxseal_keyrings WHERE keyspace = ?1";
const INSERT: &str =
    "INSERT INTO rxseal_keyrings (keyspace, generation, file) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE rxseal_keyrings SET generation = ?2, file = ?3 WHERE keyspace = ?1 AND generation = ?4";
const KEYSPACES: &str = "SELECT keyspace FROM rxseal_keyrings ORDER BY keyspace COLLATE BINARY";

/// EXTRA is FULL, and syncs the folder when a journal is gone: after a power cut a change that was confirmed is still there.
/// `fullfsync` does for macOS what the others do by themselves.
const DURABLE: &str = "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON;";

/// Keyrings in the table `rxseal_keyrings` of an SQLite database (feature `sqlite-store`). Any number of processes may use it,
/// on a file system that keeps locks: a local one.
///
/// Keep it in a database file of its own, apart from the data and its backups: that is what makes stolen data useless. Calls
/// are short and block, waiting up to 5 seconds for another writer, so they also work with [`run_local`](crate::run_local).
///
/// This crate does not choose which SQLite is linked: add `rusqlite` with its feature `bundled` to your program, or link the
/// system's.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::store::{KeyringStore, SqliteStore};
/// use rxseal::run_local;
/// # let folder = std::env::temp_dir().join(format!("rxseal-doc-sqlite-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("keyrings.db");
/// # let (_, first) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// let store = SqliteStore::open(&path)?;
/// run_local(store.put(&first, None))?;
/// assert_eq!(run_local(store.get("pharmacy-17"))?, Some(first));
/// # drop(store);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Database>);

impl SqliteStore {
    /// What [`open`](Self::open) creates where it is missing.
    pub const SCHEMA: &'static str = include_str!("sql/keyrings.sqlite.sql");

    /// Opens the database file, and makes it (for its owner only) and its table where they are missing. The folder must be there.
    ///
    /// # Errors
    ///
    /// `store-refused`: it is no SQLite database, or may not be read; `store-unavailable`: it is locked, or the disk failed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self(Arc::new(Database::open(path.as_ref(), "rxseal_keyrings", Self::SCHEMA)?)))
    }

    /// Opens the database file to look into it: nothing is made. `None` where the file or its table is not there.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let database = Database::open_existing(path.as_ref(), "rxseal_keyrings")?;
        Ok(database.map(|database| Self(Arc::new(database))))
    }

    fn get_now(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        check_keyspace(keyspace)?;
        let stored = get(&*self.0.lock()?, keyspace).map_err(|error| self.0.failed(&error))?;
        stored.map(|stored| stored.parse(keyspace)).transpose()
    }

    fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        let mut connection = self.0.lock()?;
        // Immediate: whoever reads first and writes later would be refused in between, without waiting.
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let change = begun.map_err(|error| self.0.failed(&error))?;
        self.swap(&change, file, over)?;
        change.commit().map_err(|error| self.0.failed(&error))
    }

    /// What is stored must be whole before it is written over: otherwise somebody should look at it first.
    fn swap(&self, change: &Transaction<'_>, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        let keyspace = file.keyspace();
        if let Some(stored) = get(change, keyspace).map_err(|error| self.0.failed(&error))? {
            stored.parse(keyspace)?;
        }
        let (new, text) = (file.generation(), file.to_string());
        let changed = match over {
            None => change.execute(INSERT, params![keyspace, to_sql(new), text]),
            Some(over) => change.execute(UPDATE, params![keyspace, to_sql(new), text, to_sql(over)]),
        };
        if changed.map_err(|error| self.0.failed(&error))? == 1 { Ok(()) } else { Err(ErrorKind::StoreConflict.into()) }
    }

    fn keyspaces_now(&self) -> Result<Vec<String>, Error> {
        let connection = self.0.lock()?;
        keyspaces(&connection).map_err(|error| self.0.failed(&error))
    }
}

impl KeyringStore for SqliteStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move { self.get_now(keyspace) })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.put_now(file, over) })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move { self.keyspaces_now() })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

/// A database file with a table of ours.
pub(super) struct Database {
    pub(super) path: Box<Path>,
    connection: Mutex<Connection>,
    taken: Mutex<bool>,
    given_back: Condvar,
}

impl Database {
    pub(super) fn open(path: &Path, table: &str, schema: &str) -> Result<Self, Error> {
        Ok(Self::of(path, open_database(path, table, schema)?))
    }

    fn of(path: &Path, connection: Connection) -> Self {
        let (connection, taken) = (Mutex::new(connection), Mutex::new(false));
        Self { path: path.into(), connection, taken, given_back: Condvar::new() }
    }

    pub(super) fn open_existing(path: &Path, table: &str) -> Result<Option<Self>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let opened = open_file(path, OpenFlags::empty()).and_then(|connection| {
            let has_table = connection.query_row(HAS_TABLE, [table], |row| row.get(0))?;
            Ok(if has_table { Some(connection) } else { None })
        });
        let connection = opened.map_err(|error| sqlite_trouble(path, &error))?;
        Ok(connection.map(|connection| Self::of(path, connection)))
    }

    /// The connection, for one call: whoever waits for it, and then for another program, waits 5 seconds for both.
    pub(super) fn lock(&self) -> Result<Turn<'_>, Error> {
        wait_from_now();
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.given_back.wait_timeout_while(taken, SQLITE_BUSY_WAIT, |taken| *taken);
        let (mut taken, _) = free.unwrap_or_else(PoisonError::into_inner);
        if *taken {
            return Err(self.trouble(true, "calls before this one waited for another program for 5 seconds"));
        }
        *taken = true;
        // A change that panics is rolled back, so the connection stays good.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Turn { connection, _end: TurnEnd(self) })
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> Error {
        sqlite_trouble(&self.path, error)
    }

    pub(super) fn trouble(&self, retryable: bool, what: &str) -> Error {
        Error::from_store(retryable, format!("{}: {what}", self.path.display()))
    }
}

/// Fields are dropped in their order: the connection is free when the next one is told.
pub(super) struct Turn<'a> {
    connection: MutexGuard<'a, Connection>,
    _end: TurnEnd<'a>,
}

impl Deref for Turn<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

struct TurnEnd<'a>(&'a Database);

impl Drop for TurnEnd<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.given_back.notify_one();
    }
}

// SQLite's own timeout begins anew at every step of a call, and its callback gets nothing of ours. A call stays on its thread.
thread_local!(static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) });

fn wait_from_now() {
    DEADLINE.set(Instant::now().checked_add(SQLITE_BUSY_WAIT));
}

/// Whether SQLite tries once more to get a lock.
fn wait_on(_: i32) -> bool {
    let waits = DEADLINE.get().is_some_and(|deadline| Instant::now() < deadline);
    if waits {
        thread::sleep(POLL);
    }
    waits
}

/// A connection to the database with this table, both made where they are missing.
fn open_database(path: &Path, table: &str, schema: &str) -> Result<Connection, Error> {
    // SQLite would make the file readable for all, as far as the umask lets it. One at a time, since closing a file that is open
    // twice in a process takes away the locks that the other one has on it.
    static OPENING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    create_private_file(path)?;
    let opened =
        open_file(path, OpenFlags::SQLITE_OPEN_CREATE).and_then(|connection| with_table(connection, table, schema));
    opened.map_err(|error| sqlite_trouble(path, &error))
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

fn get(connection: &Connection, keyspace: &str) -> rusqlite::Result<Option<StoredKeyring>> {
    connection.query_row(GET, [keyspace], read_row).optional()
}

fn keyspaces(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare(KEYSPACES)?.query_map((), |row| row.get(0))?.collect()
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<StoredKeyring> {
    let len: i64 = row.get(2)?;
    let text = match row.get_ref(1)? {
        // Not copied into memory if it cannot be one.
        ValueRef::Text(text) if usize::try_from(len).is_ok_and(|len| len <= KeyringFile::MAX_LEN) => {
            std::str::from_utf8(text).ok().map(str::to_owned)
        }
        _ => None,
    };
    Ok(StoredKeyring { generation: row.get(0)?, text })
}

/// With the path in its cause: it is no secret, and the first thing to look at.
pub(crate) fn sqlite_trouble(path: &Path, error: &rusqlite::Error) -> Error {
    let (retryable, what) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => (false, "it is no SQLite database, or an encrypted one".into()),
        Some(ErrorCode::DatabaseCorrupt) => (false, "the database is damaged: restore it from a backup".into()),
        _ if path.is_dir() => (false, "it is a folder, and no database file".into()),
        Some(ErrorCode::CannotOpen) => (false, "it cannot be opened: check its folder and its permissions".into()),
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => (false, not_writable(path)),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (true, "another program held its lock for 5 seconds".into())
        }
        Some(ErrorCode::DiskFull) => (true, "the disk is full".into()),
        Some(ErrorCode::SystemIoFailure) => (true, "the disk failed to read or write".into()),
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted) => (true, error.to_string()),
        _ => (false, without_statement(&error.to_string())),
    };
    Error::from_store(retryable, format!("{}: {what}", path.display()))
}

fn not_writable(path: &Path) -> String {
    match foreign_owner(path) {
        Some(user) => format!(
            "it belongs to user {user}, who could not read what this process would leave beside it; nothing was changed: run this as \
             that user, or as root"
        ),
        None => "it may not be written: check its permissions and those of its folder".to_owned(),
    }
}

/// SQLite's texts name tables and columns, and no value of theirs. What some builds of rusqlite add, the whole statement, is cut.
fn without_statement(text: &str) -> String {
    let begins =
        [" in SELECT", " in INSERT", " in UPDATE", " in WITH"].iter().filter_map(|begin| text.find(begin)).min();
    let (text, _) = text.split_at_checked(begins.unwrap_or(text.len())).unwrap_or((text, ""));
    text.lines().next().unwrap_or_default().to_owned()
}
