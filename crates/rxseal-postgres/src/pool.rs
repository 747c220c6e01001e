//! Connections to one PostgreSQL database with one table of ours, and a deadline for every call.

use std::fmt;
use std::time::Duration;

use rxseal::Error;
use rxseal::provider::need_runtime;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{Postgres, Row};
use tokio::time::timeout;

use crate::trouble::{Table, postgres_trouble, too_late};
use crate::url::parse_url;

/// For a whole call: waiting for a connection, and every answer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// The server gives up before we do, so that a change that waits for a lock is not made after the caller has left. A
/// role or a database with `synchronous_commit` off must not lose a key.
pub(crate) const CAREFUL: &str = "SELECT set_config('statement_timeout', '4000', true), \
    CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END";

/// A table of ours, created if it is missing.
pub(crate) struct OwnTable {
    pub(crate) name: &'static str,
    pub(crate) schema: &'static str,
    /// The constant that holds the schema, for the person who must run it.
    pub(crate) schema_of: &'static str,
}

#[derive(Clone)]
pub(crate) struct Pool {
    pool: PgPool,
    table: &'static OwnTable,
}

impl Pool {
    pub(crate) async fn connect(url: &str, connections: u32, table: &'static OwnTable) -> Result<Self, Error> {
        let pool = Self::lazy(url, connections, table)?;
        pool.call(async |connection| create_table(connection, table).await).await?;
        Ok(pool)
    }

    /// Does not create the table. `None` if it does not exist.
    pub(crate) async fn connect_existing(
        url: &str,
        connections: u32,
        table: &'static OwnTable,
    ) -> Result<Option<Self>, Error> {
        let pool = Self::lazy(url, connections, table)?;
        let has_table = pool.call(async |connection| has_table(connection, table).await).await?;
        Ok(if has_table { Some(pool) } else { None })
    }

    fn lazy(url: &str, connections: u32, table: &'static OwnTable) -> Result<Self, Error> {
        let options = parse_url(url)?;
        // The pool panics outside of a runtime.
        need_runtime()?;
        let pool: PgPoolOptions = PoolOptions::new().max_connections(connections).acquire_timeout(DEADLINE);
        Ok(Self { pool: pool.connect_lazy_with(options), table })
    }

    /// Runs `work` on a connection of the pool, with one deadline for the whole call.
    pub(crate) async fn call<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, CallError>,
    ) -> Result<T, Error> {
        need_runtime()?;
        let mut held = Held(None);
        let whole = async {
            let connection = held.0.insert(self.pool.acquire().await?);
            work(connection).await
        };
        let ended = timeout(DEADLINE, whole).await;
        if matches!(ended, Ok(Ok(_) | Err(CallError::Own(_)))) {
            held.give_back();
        }
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(CallError::Own(error))) => Err(error),
            Ok(Err(CallError::Sqlx(error))) => {
                Err(postgres_trouble(&error, &Table::Own { name: self.table.name, schema: self.table.schema_of }))
            }
            Err(_) => Err(too_late()),
        }
    }
}

/// Closed when it is dropped, even by a caller that stops waiting. Data still on its way belongs to the ended call, and
/// the server rolls back an unconfirmed change. Giving it back to the pool would make the pool ask the server whether
/// it still works, and wait as long as the server is silent.
struct Held(Option<PoolConnection<Postgres>>);

impl Held {
    fn give_back(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// The pool's own error text contains the password.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

/// Why a call ends early: an answer of ours, after which the connection is usable, or an error of the database.
pub(crate) enum CallError {
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

async fn create_table(connection: &mut PgConnection, table: &OwnTable) -> Result<(), CallError> {
    // Checked first: a role that may not create tables can use an existing one.
    if has_table(connection, table).await? {
        return Ok(());
    }
    match sqlx::raw_sql(table.schema).execute(&mut *connection).await {
        Ok(_) => Ok(()),
        // If two programs create it at once, `IF NOT EXISTS` of one of them can fail in PostgreSQL.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("23505" | "42P07" | "42710")) => {
            if has_table(connection, table).await? {
                Ok(())
            } else {
                Err(sqlx::Error::Database(error).into())
            }
        }
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42501" | "3F000" | "25006")) => {
            let OwnTable { name, schema_of, .. } = table;
            let text = format!(
                "the table {name} is missing and the role may not create it: let its owner run `{schema_of}`, and grant SELECT, \
                 INSERT and UPDATE on it"
            );
            Err(Error::from_store(false, text).into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn has_table(connection: &mut PgConnection, table: &OwnTable) -> Result<bool, CallError> {
    let query = sqlx::query("SELECT pg_is_in_recovery(), to_regclass($1) IS NOT NULL").persistent(false);
    let row = query.bind(table.name).fetch_one(connection).await?;
    refuse_standby(&row)?;
    Ok(row.try_get(1)?)
}

/// A row that begins with `pg_is_in_recovery()`. Each answer is checked, because the server behind an address may
/// change while the program runs.
pub(crate) fn refuse_standby(row: &PgRow) -> Result<(), CallError> {
    if row.try_get(0)? {
        let text = "this is a standby, which lags behind: it may have a key that was shredded, or an older keyring. Connect to the \
             primary server";
        return Err(Error::from_store(false, text).into());
    }
    Ok(())
}
