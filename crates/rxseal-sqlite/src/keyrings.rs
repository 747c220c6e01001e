//! Keyrings in an SQLite database: one row each, changed by one transaction.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::provider::{StoredKeyring, check_keyspace, check_order};
use rxseal::store::{KeyringStore, StoreFuture};

use crate::database::{CallError, Database};

const TABLE: &str = "rxseal_keyrings";
const GET: &str = "SELECT generation, file, length(CAST(file AS BLOB)) FROM rxseal_keyrings WHERE keyspace = ?1";
const INSERT: &str =
    "INSERT INTO rxseal_keyrings (keyspace, generation, file) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE rxseal_keyrings SET generation = ?2, file = ?3 WHERE keyspace = ?1 AND generation = ?4";
const KEYSPACES: &str = "SELECT keyspace FROM rxseal_keyrings ORDER BY keyspace COLLATE BINARY";

/// Keyrings in the table `rxseal_keyrings` of an SQLite database. Any number of processes may use it, on a local file
/// system, since it must support locks.
///
/// Keep it in a database file of its own, apart from the data and its backups: stolen data is useless without the
/// keyring. Calls are short and block, waiting up to 5 seconds for another writer, so they also work with
/// [`run_local`](rxseal::run_local).
///
/// This crate does not choose which SQLite is linked: add `rusqlite` with its feature `bundled` to your program, or
/// link the system's SQLite.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::run_local;
/// use rxseal::store::KeyringStore;
/// use rxseal_sqlite::SqliteStore;
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
    /// The table that [`open`](Self::open) creates if it is missing.
    pub const SCHEMA: &'static str = include_str!("sql/keyrings.sql");

    /// Opens the database file. Creates the file (for its owner only) and its table if they are missing. The folder
    /// must exist.
    ///
    /// # Errors
    ///
    /// `store-refused` if it is not an SQLite database or may not be read. `store-unavailable` if it is locked or the
    /// disk failed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self(Arc::new(Database::open(path.as_ref(), TABLE, Self::SCHEMA)?)))
    }

    /// Opens the database file and creates nothing. `None` if the file or its table does not exist.
    ///
    /// # Errors
    ///
    /// The same as [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let database = Database::open_existing(path.as_ref(), TABLE)?;
        Ok(database.map(|database| Self(Arc::new(database))))
    }

    fn get_now(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        check_keyspace(keyspace)?;
        let stored = self.0.call(|connection| Ok(get(connection, keyspace)?))?;
        stored.map(|stored| stored.parse(keyspace)).transpose()
    }

    fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        self.0.call(|connection| {
            // Immediate: SQLite would refuse, without waiting, a transaction that reads first and writes later if
            // another wrote between.
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            swap(&change, file, over)?;
            Ok(change.commit()?)
        })
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
        Box::pin(async move { self.0.call(|connection| Ok(keyspaces(connection)?)) })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path()).finish_non_exhaustive()
    }
}

/// The stored keyring must be whole before it is overwritten: otherwise a person should look at it first.
fn swap(change: &Transaction<'_>, file: &KeyringFile, over: Option<u64>) -> Result<(), CallError> {
    let keyspace = file.keyspace();
    if let Some(stored) = get(change, keyspace)? {
        stored.parse(keyspace)?;
    }
    let (new, text) = (StoredKeyring::to_sql(file.generation()), file.to_string());
    let changed = match over {
        None => change.execute(INSERT, params![keyspace, new, text])?,
        Some(over) => change.execute(UPDATE, params![keyspace, new, text, StoredKeyring::to_sql(over)])?,
    };
    if changed == 1 { Ok(()) } else { Err(Error::store_conflict().into()) }
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
        // Not read into memory if it is too large to be a keyring file.
        ValueRef::Text(text) if usize::try_from(len).is_ok_and(|len| len <= KeyringFile::MAX_LEN) => {
            std::str::from_utf8(text).ok().map(str::to_owned)
        }
        _ => None,
    };
    Ok(StoredKeyring { generation: row.get(0)?, text })
}
