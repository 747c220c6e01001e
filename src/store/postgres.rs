//! Keyrings in a PostgreSQL database: one row each, changed by one transaction.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Postgres};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::row::{Stored, to_sql};
use super::{KeyringStore, StoreFuture, check_order};
use crate::error::{Error, ErrorKind};
use crate::id::Name;
use crate::key::{KeyringFile, MAX_FILE};

/// Of a whole call: waiting for a connection, and every answer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// Keyrings are read once in minutes.
const MAX_CONNECTIONS: u32 = 4;

const HAS_TABLE: &str = "SELECT to_regclass('rxseal_keyrings') IS NOT NULL";
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// The server gives up before we do, so that a change which waits for a lock is not made after all when nobody listens any
/// more. A role or database that does not wait for the disk must not lose a keyring.
const CAREFUL: &str = "SELECT set_config('statement_timeout', '4000', true), \
    CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END";
const GET: &str = "SELECT generation, CASE WHEN octet_length(file) <= $2 THEN file END FROM rxseal_keyrings \
    WHERE keyspace = $1";
const GET_FOR_UPDATE: &str = "SELECT generation, CASE WHEN octet_length(file) <= $2 THEN file END FROM rxseal_keyrings \
    WHERE keyspace = $1 FOR UPDATE";
const INSERT: &str =
    "INSERT INTO rxseal_keyrings (keyspace, generation, file) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE rxseal_keyrings SET generation = $2, file = $3 WHERE keyspace = $1 AND generation = $4";
const KEYSPACES: &str = "SELECT keyspace FROM rxseal_keyrings ORDER BY keyspace COLLATE \"C\"";

/// Keyrings in the table `rxseal_keyrings` of a PostgreSQL database (feature `postgres-store`). Needs a tokio runtime.
///
/// Keep it in a database apart from the data, with a role and backups of its own: that is what makes stolen data useless. Every
/// call ends within 5 seconds. A change whose answer was lost is `store-unavailable`: read again to see whether it was made.
///
/// ```no_run
/// # async fn example() -> Result<(), rxseal::Error> {
/// use rxseal::{KeyringStore, PostgresStore};
/// let url = std::env::var("KEYRING_DATABASE_URL").unwrap_or_default();
/// let store = PostgresStore::connect(&url).await?;
/// let stored = store.get("pharmacy-17").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(PgPool);

impl PostgresStore {
    /// What [`connect`](Self::connect) creates where it is missing and the role may create tables.
    pub const SCHEMA: &'static str = include_str!("sql/keyrings.postgres.sql");

    /// Connects to `postgres://role:password@host/database?sslmode=verify-full`, and makes the table where it is missing.
    ///
    /// Without `sslmode` TLS is used if the server offers it, and its certificate is not checked. `verify-full` checks it
    /// against the web's authorities, or that of `sslrootcert=FILE`. Up to 4 connections are kept. The URL and the password
    /// are in no error, no log and no `Debug` text.
    ///
    /// # Errors
    ///
    /// `store-refused`: the URL is none, or the role may not log in or has no right to the table; `store-unavailable`: no answer
    /// within 5 seconds; `runtime-needed` outside of a tokio runtime.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let options = parse_url(url)?;
        // Outside of a runtime the pool panics.
        require_runtime()?;
        let pool: PgPoolOptions = PoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(DEADLINE);
        let store = Self(pool.connect_lazy_with(options));
        store.call(create_table).await?;
        Ok(store)
    }

    /// Runs `work` on a connection of the pool, with a deadline for all of it.
    async fn call<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, CallError>) -> Result<T, Error> {
        require_runtime()?;
        let mut held: Option<PoolConnection<Postgres>> = None;
        let whole = async {
            let connection = held.insert(self.0.acquire().await?);
            work(connection).await
        };
        let ended = timeout(DEADLINE, whole).await;
        let lost = !matches!(ended, Ok(Ok(_) | Err(CallError::Own(_))));
        // Whatever is on its way on it belongs to a call that has ended: the socket is closed, and a change not yet confirmed
        // is rolled back by the server.
        if let Some(connection) = held.filter(|_| lost) {
            drop(connection.detach());
        }
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(CallError::Own(error))) => Err(error),
            Ok(Err(CallError::Sqlx(error))) => Err(postgres_trouble(&error, &Table::Keyrings)),
            Err(_) => Err(too_late()),
        }
    }

    async fn get_now(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        Name::check("keyspace", keyspace)?;
        let stored = self.call(async |connection| Ok(get(connection, GET, keyspace).await?)).await?;
        stored.map(|stored| stored.parse(keyspace)).transpose()
    }

    async fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        self.call(async |connection| swap(connection, file, over).await).await
    }

    async fn keyspaces_now(&self) -> Result<Vec<String>, Error> {
        self.call(async |connection| Ok(sqlx::query_scalar(KEYSPACES).persistent(false).fetch_all(connection).await?))
            .await
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

/// The pool's own text holds the password.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("connections", &self.0.size()).finish_non_exhaustive()
    }
}

/// What ends a call: an answer of ours, after which the connection is good, or something of the database.
enum CallError {
    Own(Error),
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for CallError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

async fn get(
    connection: &mut PgConnection,
    query: &'static str,
    keyspace: &str,
) -> Result<Option<Stored>, sqlx::Error> {
    let limit = i32::try_from(MAX_FILE).unwrap_or(i32::MAX);
    // Not kept on the server: a pooler between may give the next statement another connection.
    let query = sqlx::query_as(query).persistent(false).bind(keyspace).bind(limit);
    let row: Option<(i64, Option<String>)> = query.fetch_optional(connection).await?;
    Ok(row.map(|(generation, text)| Stored { generation, text }))
}

/// Dropped before its end, it is rolled back.
async fn swap(connection: &mut PgConnection, file: &KeyringFile, over: Option<u64>) -> Result<(), CallError> {
    let keyspace = file.keyspace();
    let mut change = connection.begin_with(BEGIN).await?;
    sqlx::query(CAREFUL).persistent(false).execute(&mut *change).await?;
    // What is stored must be whole before it is written over: otherwise somebody should look at it first.
    if let Some(stored) = get(&mut change, GET_FOR_UPDATE, keyspace).await? {
        stored.parse(keyspace)?;
    }
    let query = sqlx::query(if over.is_none() { INSERT } else { UPDATE }).persistent(false);
    let query = query.bind(keyspace).bind(to_sql(file.generation())).bind(file.to_string());
    let query = match over {
        None => query,
        Some(over) => query.bind(to_sql(over)),
    };
    if query.execute(&mut *change).await?.rows_affected() != 1 {
        return Err(Error::from(ErrorKind::StoreConflict).into());
    }
    Ok(change.commit().await?)
}

async fn create_table(connection: &mut PgConnection) -> Result<(), CallError> {
    // Asked first: a role that may not create tables can use one that is there.
    if has_table(connection).await? {
        return Ok(());
    }
    match sqlx::raw_sql(PostgresStore::SCHEMA).execute(&mut *connection).await {
        Ok(_) => Ok(()),
        // Two that create it at once: PostgreSQL lets `IF NOT EXISTS` of one of them fail.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("23505" | "42P07" | "42710")) => {
            if has_table(connection).await? {
                Ok(())
            } else {
                Err(sqlx::Error::Database(error).into())
            }
        }
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42501" | "3F000" | "25006")) => {
            let text = "the table rxseal_keyrings is missing and the role may not create it: let its owner run \
                `PostgresStore::SCHEMA`, and grant SELECT, INSERT and UPDATE on it";
            Err(Error::from_store(false, text).into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn has_table(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(HAS_TABLE).persistent(false).fetch_one(connection).await
}

pub(crate) fn require_runtime() -> Result<(), Error> {
    Handle::try_current().map(drop).map_err(|_| ErrorKind::RuntimeNeeded.into())
}

/// The driver's own error may quote the URL, and is dropped. Its logs of statements are not wanted either.
pub(crate) fn parse_url(url: &str) -> Result<PgConnectOptions, Error> {
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    let options = if is_postgres { PgConnectOptions::from_str(url).ok() } else { None };
    let options = options.ok_or_else(|| {
        Error::from_store(false, "the URL is not valid: write `postgres://role:password@host:5432/database`")
    })?;
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name("rxseal") };
    Ok(options.disable_statement_logging())
}

pub(crate) fn too_late() -> Error {
    Error::from_store(true, "the database did not answer within 5 seconds: is it there, and reachable from here?")
}

/// Which table an error is about, for the line that says what to do.
pub(crate) enum Table<'a> {
    Keyrings,
    Counted { table: &'a str, column: &'a str },
}

/// One line each that says what to do. The server's own text may quote a value and is left out, its SQLSTATE tells the rest.
pub(crate) fn postgres_trouble(error: &sqlx::Error, table: &Table<'_>) -> Error {
    use sqlx::Error as Sqlx;
    match error {
        Sqlx::Database(database) => {
            let code = database.code().unwrap_or_default();
            let (retryable, text) = explain(&code, table);
            Error::from_store(retryable, format!("{text} (SQLSTATE {code})"))
        }
        Sqlx::PoolTimedOut => too_late(),
        // A certificate that is not trusted comes as data that is not valid.
        Sqlx::Io(error) if error.kind() == io::ErrorKind::InvalidData => tls_failed(),
        Sqlx::Tls(_) => tls_failed(),
        Sqlx::Io(error) => Error::from_store(true, format!("the connection to the database failed: {}", error.kind())),
        Sqlx::Configuration(_) => {
            Error::from_store(false, "the URL asks for something that is not there, such as a file")
        }
        Sqlx::ColumnDecode { .. } | Sqlx::Decode(_) | Sqlx::ColumnIndexOutOfBounds { .. } => {
            Error::from_store(false, "the table has columns of other types than its schema")
        }
        Sqlx::Protocol(_) => Error::from_store(true, "what answered does not speak PostgreSQL's protocol"),
        _ => Error::from_store(true, "the driver lost the connection"),
    }
}

fn tls_failed() -> Error {
    Error::from_store(false, "TLS failed: check the server's certificate, `sslmode` and `sslrootcert`")
}

fn explain(code: &str, table: &Table<'_>) -> (bool, String) {
    let settled = |text: &str| (false, text.to_owned());
    let later = |text: &str| (true, text.to_owned());
    match (code, table) {
        ("42501", Table::Keyrings) => settled(
            "the role lacks a right: grant SELECT, INSERT and UPDATE on rxseal_keyrings, and USAGE on its schema",
        ),
        ("42501", Table::Counted { table, .. }) => {
            (false, format!("the role may not read {table}: grant SELECT on it, and USAGE on its schema"))
        }
        ("42P01" | "3F000", Table::Keyrings) => {
            settled("the table rxseal_keyrings is missing: connect again, or let its owner run `PostgresStore::SCHEMA`")
        }
        ("42P01" | "3F000", Table::Counted { table, .. }) => {
            (false, format!("there is no table {table}: write `schema.table`, in the case in which it was created"))
        }
        ("42703", Table::Keyrings) => settled("the table rxseal_keyrings has other columns than its schema"),
        ("42703", Table::Counted { table, column }) => {
            (false, format!("the table {table} has no column {column}: write it in the case in which it was created"))
        }
        ("42883" | "42804" | "42846" | "42725", Table::Counted { table, column }) => {
            (false, format!("the column {column} of {table} is neither text nor bytea; json and jsonb are not counted"))
        }
        ("25006", _) => settled("the database is read-only: connect to the primary server"),
        ("3D000", _) => settled("there is no such database: check the URL"),
        ("57014", _) => later("the server cancelled the statement: it waited too long"),
        _ if code.starts_with("28") => settled("the login was refused: check role and password, and pg_hba.conf"),
        // Connections, transactions that met, resources, operators, the system.
        _ if ["08", "40", "53", "55", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            later("the server could not do it now")
        }
        _ => settled("the server refused"),
    }
}
