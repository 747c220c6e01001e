//! Keyrings in a PostgreSQL database: one row each, changed by one transaction.

use std::fmt;

use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::provider::{StoredKeyring, check_keyspace, check_order};
use rxseal::store::{KeyringStore, StoreFuture};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};

use crate::pool::{BEGIN, CAREFUL, CallError, OwnTable, Pool, refuse_standby};

/// Keyrings are read once every few minutes.
const MAX_CONNECTIONS: u32 = 4;

const TABLE: OwnTable =
    OwnTable { name: "rxseal_keyrings", schema: PostgresStore::SCHEMA, schema_of: "PostgresStore::SCHEMA" };
// Gives at least one row, which says whether the server is a standby.
const GET: &str = "SELECT pg_is_in_recovery(), keyrings.* FROM (SELECT 1) AS server LEFT JOIN \
    (SELECT generation, CASE WHEN octet_length(file) <= $2 THEN file END FROM rxseal_keyrings WHERE keyspace = $1) \
    AS keyrings ON TRUE";
const GET_FOR_UPDATE: &str = "SELECT FALSE, generation, CASE WHEN octet_length(file) <= $2 THEN file END \
    FROM rxseal_keyrings WHERE keyspace = $1 FOR UPDATE";
const INSERT: &str =
    "INSERT INTO rxseal_keyrings (keyspace, generation, file) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE rxseal_keyrings SET generation = $2, file = $3 WHERE keyspace = $1 AND generation = $4";
const KEYSPACES: &str = "SELECT pg_is_in_recovery(), keyspace FROM (SELECT 1) AS server LEFT JOIN rxseal_keyrings ON TRUE \
    ORDER BY keyspace COLLATE \"C\"";

/// Keyrings in the table `rxseal_keyrings` of a PostgreSQL database. Needs a tokio runtime.
///
/// Keep it in a database apart from the data, with its own role and backups: stolen data is useless without the
/// keyring. Every call ends within 5 seconds. A standby is refused, since it lags behind. If the answer to a change is
/// lost, the error is `store-unavailable`: read again to see whether the change was made.
///
/// ```no_run
/// # async fn example() -> Result<(), rxseal::Error> {
/// use rxseal::store::KeyringStore;
/// use rxseal_postgres::PostgresStore;
/// let url = std::env::var("KEYRING_DATABASE_URL").unwrap_or_default();
/// let store = PostgresStore::connect(&url).await?;
/// let stored = store.get("pharmacy-17").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Pool);

impl PostgresStore {
    /// The table that [`connect`](Self::connect) creates if it is missing and the role may create tables.
    pub const SCHEMA: &'static str = include_str!("sql/keyrings.sql");

    /// Connects to `postgres://role:password@host/database?sslmode=verify-full`, and creates the table if it is
    /// missing.
    ///
    /// A server on another machine must offer TLS, unless the URL says `sslmode=disable` or `sslmode=allow`; `prefer`
    /// counts as `require`. Only `verify-full` checks the server's certificate, against the web's authorities or the
    /// file in `sslrootcert=FILE`. The other modes protect against somebody who only listens, and not against somebody
    /// who poses as the server. On this machine (a loopback address or a Unix socket) TLS is used if the server offers
    /// it.
    ///
    /// Up to 4 connections are kept. The URL and the password never appear in an error, a log or a `Debug` text.
    ///
    /// # Errors
    ///
    /// - `store-refused` if the URL is not valid, the server is a standby, the role may not log in, or it has no right
    ///   to the table.
    /// - `store-unavailable` if there is no answer within 5 seconds.
    /// - `runtime-needed` outside of a tokio runtime.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Ok(Self(Pool::connect(url, MAX_CONNECTIONS, &TABLE).await?))
    }

    /// Connects to the database and creates nothing. `None` if the table does not exist.
    ///
    /// # Errors
    ///
    /// The same as [`connect`](Self::connect).
    pub async fn connect_existing(url: &str) -> Result<Option<Self>, Error> {
        Ok(Pool::connect_existing(url, MAX_CONNECTIONS, &TABLE).await?.map(Self))
    }

    async fn get_now(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        check_keyspace(keyspace)?;
        let stored = self.0.call(async |connection| get(connection, GET, keyspace).await).await?;
        stored.map(|stored| stored.parse(keyspace)).transpose()
    }

    async fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        self.0.call(async |connection| swap(connection, file, over).await).await
    }

    async fn keyspaces_now(&self) -> Result<Vec<String>, Error> {
        let read = async |connection: &mut PgConnection| {
            let mut keyspaces = Vec::new();
            for row in sqlx::query(KEYSPACES).persistent(false).fetch_all(connection).await? {
                refuse_standby(&row)?;
                keyspaces.extend(row.try_get::<Option<String>, _>(1)?);
            }
            Ok(keyspaces)
        };
        self.0.call(read).await
    }
}

impl KeyringStore for PostgresStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(self.get_now(keyspace))
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(self.put_now(file, over))
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(self.keyspaces_now())
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.0).finish()
    }
}

async fn get(
    connection: &mut PgConnection,
    query: &'static str,
    keyspace: &str,
) -> Result<Option<StoredKeyring>, CallError> {
    let limit = i32::try_from(KeyringFile::MAX_LEN).unwrap_or(i32::MAX);
    // Not kept on the server: a connection pooler may send the next statement over another connection.
    let query = sqlx::query(query).persistent(false).bind(keyspace).bind(limit);
    let stored = |row: PgRow| -> Result<Option<StoredKeyring>, CallError> {
        refuse_standby(&row)?;
        let generation: Option<i64> = row.try_get(1)?;
        let text = row.try_get(2)?;
        Ok(generation.map(|generation| StoredKeyring { generation, text }))
    };
    query.fetch_optional(connection).await?.map_or(Ok(None), stored)
}

/// Rolled back if it is dropped before its end.
async fn swap(connection: &mut PgConnection, file: &KeyringFile, over: Option<u64>) -> Result<(), CallError> {
    let keyspace = file.keyspace();
    let mut change = connection.begin_with(BEGIN).await?;
    sqlx::query(CAREFUL).persistent(false).execute(&mut *change).await?;
    // The stored keyring must be whole before it is overwritten: otherwise a person should look at it first.
    if let Some(stored) = get(&mut change, GET_FOR_UPDATE, keyspace).await? {
        stored.parse(keyspace)?;
    }
    let query = sqlx::query(if over.is_none() { INSERT } else { UPDATE }).persistent(false);
    let query = query.bind(keyspace).bind(StoredKeyring::to_sql(file.generation())).bind(file.to_string());
    let query = match over {
        None => query,
        Some(over) => query.bind(StoredKeyring::to_sql(over)),
    };
    if query.execute(&mut *change).await?.rows_affected() != 1 {
        return Err(Error::store_conflict().into());
    }
    Ok(change.commit().await?)
}
