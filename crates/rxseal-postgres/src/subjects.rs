//! Subject keys in a PostgreSQL database: one row each.

use std::fmt;

use rxseal::Error;
use rxseal::provider::{SubjectChange, SubjectColumns, SubjectRow, SubjectRows, SubjectTable};
use rxseal::store::StoreFuture;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};

use crate::pool::{BEGIN, CAREFUL, CallError, OwnTable, Pool, refuse_standby};

/// Requests wait for the key of a subject that is not in memory.
const MAX_CONNECTIONS: u32 = 8;
const TABLE: OwnTable = OwnTable {
    name: "rxseal_subject_keys",
    schema: PostgresSubjectStore::SCHEMA,
    schema_of: "PostgresSubjectStore::SCHEMA",
};
// Gives at least one row, which says whether the server is a standby.
const GET: &str = "SELECT pg_is_in_recovery(), keys.* FROM (SELECT 1) AS server LEFT JOIN \
    (SELECT subject, wrapped, shredded_at, retain_until, legal_hold FROM rxseal_subject_keys \
    WHERE keyspace = $1 AND subject = ANY($2)) AS keys ON TRUE";
const GET_FOR_UPDATE: &str = "SELECT wrapped, shredded_at, retain_until, legal_hold FROM rxseal_subject_keys \
    WHERE keyspace = $1 AND subject = $2 FOR UPDATE";
/// If two programs meet a subject at once, one waits here for the other, and then sees its row.
const PLACE: &str = "INSERT INTO rxseal_subject_keys (keyspace, subject) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE rxseal_subject_keys SET wrapped = $3, shredded_at = $4, retain_until = $5, legal_hold = $6 \
    WHERE keyspace = $1 AND subject = $2";
const PAGE: &str = "SELECT pg_is_in_recovery(), keys.* FROM (SELECT 1) AS server LEFT JOIN \
    (SELECT subject, wrapped, shredded_at, retain_until, legal_hold FROM rxseal_subject_keys \
    WHERE keyspace = $1 AND subject > $2 AND wrapped IS NOT NULL AND shredded_at IS NULL ORDER BY subject LIMIT $3) AS keys ON TRUE \
    ORDER BY keys.subject";

/// Wrapped subject keys in the table `rxseal_subject_keys` of a PostgreSQL database. Needs a tokio runtime.
///
/// Keep it in a database apart from the data, with its own role and short-lived backups. Every call ends within 5
/// seconds. A shredded key stays in the table's dead rows until the next `VACUUM`, and in the write-ahead log as long
/// as that is kept: count both as backups.
#[derive(Clone)]
pub struct PostgresSubjectStore(Pool);

impl PostgresSubjectStore {
    /// The table that [`connect`](Self::connect) creates if it is missing and the role may create tables.
    pub const SCHEMA: &'static str = include_str!("sql/subject_keys.sql");

    /// Connects like [`PostgresStore::connect`](crate::PostgresStore::connect), with up to 8 connections.
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

    async fn rows_now(&self, keyspace: &str, subjects: &[&str]) -> Result<SubjectRows, Error> {
        self.0.call(async |connection| select(connection, keyspace, subjects).await).await
    }

    async fn change_now(&self, keyspace: &str, subject: &str, change: SubjectChange<'_>) -> Result<SubjectRow, Error> {
        self.0.call(async |connection| change_row(connection, keyspace, subject, change).await).await
    }

    async fn rows_after_now(&self, keyspace: &str, after: &str, limit: usize) -> Result<SubjectRows, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let page = async |connection: &mut PgConnection| {
            let query = sqlx::query(PAGE).persistent(false).bind(keyspace).bind(after).bind(limit);
            not_of_standby(&query.fetch_all(connection).await?)
        };
        self.0.call(page).await
    }
}

impl SubjectTable for PostgresSubjectStore {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        Box::pin(self.rows_now(keyspace, subjects))
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(self.change_now(keyspace, subject, change))
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        Box::pin(self.rows_after_now(keyspace, after, limit))
    }
}

impl fmt::Debug for PostgresSubjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresSubjectStore").field(&self.0).finish()
    }
}

async fn select(connection: &mut PgConnection, keyspace: &str, subjects: &[&str]) -> Result<SubjectRows, CallError> {
    // Not kept on the server: a connection pooler may send the next statement over another connection.
    let query = sqlx::query(GET).persistent(false).bind(keyspace).bind(subjects);
    not_of_standby(&query.fetch_all(connection).await?)
}

fn not_of_standby(rows: &[PgRow]) -> Result<SubjectRows, CallError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        refuse_standby(row)?;
        if let Some(subject) = row.try_get(1)? {
            let columns = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
            found.push((subject, Ok(SubjectRow::from_columns(columns))));
        }
    }
    Ok(found)
}

/// One subject, read and written in one transaction. Rolled back if it is dropped before its end.
async fn change_row(
    connection: &mut PgConnection,
    keyspace: &str,
    subject: &str,
    change: SubjectChange<'_>,
) -> Result<SubjectRow, CallError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    sqlx::query(CAREFUL).persistent(false).execute(&mut *transaction).await?;
    sqlx::query(PLACE).persistent(false).bind(keyspace).bind(subject).execute(&mut *transaction).await?;
    let query = sqlx::query_as(GET_FOR_UPDATE).persistent(false).bind(keyspace).bind(subject);
    let columns: SubjectColumns = query.fetch_one(&mut *transaction).await?;
    let before = SubjectRow::from_columns(columns);
    let after = change.apply(&before)?;
    if after != before {
        let (wrapped, shredded_at, until, held) = after.clone().into_columns();
        let query = sqlx::query(UPDATE).persistent(false).bind(keyspace).bind(subject);
        query.bind(wrapped).bind(shredded_at).bind(until).bind(held).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(after)
}
