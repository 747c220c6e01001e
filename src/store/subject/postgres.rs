//! Subject keys in a PostgreSQL database: one row each.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};

use super::super::row::{check_keyspace, check_subject};
use super::row::{SubjectRow, impl_subject_key_store};
use super::{Retention, StoredSubject};
use crate::error::Error;
use crate::store::postgres::pool::{BEGIN, CAREFUL, CallError, OwnTable, Pool, refuse_standby};

/// Requests wait for a subject that is not in memory.
const MAX_CONNECTIONS: u32 = 8;
const TABLE: OwnTable = OwnTable {
    name: "rxseal_subject_keys",
    schema: PostgresSubjectStore::SCHEMA,
    schema_of: "PostgresSubjectStore::SCHEMA",
};
// At least one row, which says whether the server is a standby.
const GET: &str = "SELECT pg_is_in_recovery(), keys.* FROM (SELECT 1) AS server LEFT JOIN \
    (SELECT subject, wrapped, shredded_at, retain_until, legal_hold FROM rxseal_subject_keys \
    WHERE keyspace = $1 AND subject = ANY($2)) AS keys ON TRUE";
const GET_FOR_UPDATE: &str = "SELECT subject, wrapped, shredded_at, retain_until, legal_hold FROM rxseal_subject_keys \
    WHERE keyspace = $1 AND subject = $2 FOR UPDATE";
/// Two that meet a subject at once: one of them waits here for the other, and then sees its row.
const PLACE: &str = "INSERT INTO rxseal_subject_keys (keyspace, subject) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE rxseal_subject_keys SET wrapped = $3, shredded_at = $4, retain_until = $5, legal_hold = $6 \
    WHERE keyspace = $1 AND subject = $2";
const PAGE: &str = "SELECT pg_is_in_recovery(), keys.* FROM (SELECT 1) AS server LEFT JOIN \
    (SELECT subject, wrapped, shredded_at, retain_until, legal_hold FROM rxseal_subject_keys \
    WHERE keyspace = $1 AND subject > $2 AND wrapped IS NOT NULL AND shredded_at IS NULL ORDER BY subject LIMIT $3) AS keys ON TRUE \
    ORDER BY keys.subject";

/// Wrapped subject keys in the table `rxseal_subject_keys` of a PostgreSQL database (feature `postgres-store`). Needs a tokio
/// runtime.
///
/// Keep it in a database apart from the data, with a role and short-lived backups of its own. Every call ends within 5 seconds. What
/// is shredded stays in the table's dead rows until the next `VACUUM`, and in the write-ahead log as long as that is kept: count both
/// among the backups.
#[derive(Clone)]
pub struct PostgresSubjectStore(Pool);

impl PostgresSubjectStore {
    /// What [`connect`](Self::connect) creates where it is missing and the role may create tables.
    pub const SCHEMA: &'static str = include_str!("../sql/subject_keys.postgres.sql");

    /// Connects as [`PostgresStore::connect`](crate::store::PostgresStore::connect) does, with up to 8 connections.
    ///
    /// # Errors
    ///
    /// `store-refused`: the URL is not valid, the server is a standby, or the role may not log in or has no right to the table; `store-unavailable`: no answer
    /// within 5 seconds; `runtime-needed` outside of a tokio runtime.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Ok(Self(Pool::connect(url, MAX_CONNECTIONS, &TABLE).await?))
    }

    /// Connects to look into the database: nothing is made. `None` where the table is not there.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect).
    pub async fn connect_existing(url: &str) -> Result<Option<Self>, Error> {
        Ok(Pool::connect_existing(url, MAX_CONNECTIONS, &TABLE).await?.map(Self))
    }

    async fn get_now(&self, keyspace: &str, subjects: &[&str]) -> Result<Vec<StoredSubject>, Error> {
        subjects.iter().try_for_each(|subject| check_subject(keyspace, subject))?;
        let rows = self.0.call(async |connection| select(connection, keyspace, subjects).await).await?;
        // No map that hashes: std's draws a random key for it, and panics where there is none.
        let mut found = BTreeMap::new();
        for row in rows {
            let (subject, row) = parse(row);
            found.insert(subject, row.stored());
        }
        // A subject that is named twice is there twice.
        Ok(subjects.iter().map(|subject| found.get(*subject).cloned().unwrap_or(StoredSubject::Absent)).collect())
    }

    async fn change<T>(
        &self,
        keyspace: &str,
        subject: &str,
        work: impl FnOnce(&mut SubjectRow) -> Result<T, Error>,
    ) -> Result<T, Error> {
        check_subject(keyspace, subject)?;
        self.0.call(async move |connection| change(connection, keyspace, subject, work).await).await
    }

    async fn retention_now(&self, keyspace: &str, subject: &str) -> Result<Retention, Error> {
        check_subject(keyspace, subject)?;
        let rows = self.0.call(async |connection| select(connection, keyspace, &[subject]).await).await?;
        Ok(rows.into_iter().next().map(parse).map_or_else(Retention::default, |(_, row)| row.retention))
    }

    async fn page_now(
        &self,
        keyspace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, StoredSubject)>, Error> {
        check_keyspace(keyspace)?;
        let (after, limit) = (after.unwrap_or_default(), i64::try_from(limit).unwrap_or(i64::MAX));
        let page = async |connection: &mut PgConnection| {
            let query = sqlx::query(PAGE).persistent(false).bind(keyspace).bind(after).bind(limit);
            not_of_standby(&query.fetch_all(connection).await?)
        };
        let mut keys = Vec::new();
        for row in self.0.call(page).await? {
            let (subject, row) = parse(row);
            keys.push((subject, row.stored()));
        }
        Ok(keys)
    }
}

impl_subject_key_store!(PostgresSubjectStore, await);

impl fmt::Debug for PostgresSubjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresSubjectStore").field(&self.0).finish()
    }
}

/// In the order in which the queries name them.
type Stored = (String, Option<Vec<u8>>, Option<i64>, Option<i64>, bool);

fn parse((subject, key, shredded_at, until, held): Stored) -> (String, SubjectRow) {
    // Before 1970 is nothing that is ever written; the tombstone counts all the same.
    let seconds = |at: i64| u64::try_from(at).unwrap_or_default();
    let retention = Retention::default().until(until.map(seconds)).legal_hold(held);
    (subject, SubjectRow { key, shredded_at: shredded_at.map(seconds), retention })
}

async fn select(connection: &mut PgConnection, keyspace: &str, subjects: &[&str]) -> Result<Vec<Stored>, CallError> {
    // Not kept on the server: a pooler between may give the next statement another connection.
    let query = sqlx::query(GET).persistent(false).bind(keyspace).bind(subjects);
    not_of_standby(&query.fetch_all(connection).await?)
}

fn not_of_standby(rows: &[PgRow]) -> Result<Vec<Stored>, CallError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        refuse_standby(row)?;
        if let Some(subject) = row.try_get(1)? {
            found.push((subject, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?));
        }
    }
    Ok(found)
}

/// One subject, read and written in one transaction. Dropped before its end, it is rolled back.
async fn change<T>(
    connection: &mut PgConnection,
    keyspace: &str,
    subject: &str,
    work: impl FnOnce(&mut SubjectRow) -> Result<T, Error>,
) -> Result<T, CallError> {
    let mut change = connection.begin_with(BEGIN).await?;
    sqlx::query(CAREFUL).persistent(false).execute(&mut *change).await?;
    sqlx::query(PLACE).persistent(false).bind(keyspace).bind(subject).execute(&mut *change).await?;
    let query = sqlx::query_as(GET_FOR_UPDATE).persistent(false).bind(keyspace).bind(subject);
    let (_, before) = parse(query.fetch_one(&mut *change).await?);
    let mut after = before.clone();
    let result = work(&mut after)?;
    if after != before {
        let to_sql = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let query = sqlx::query(UPDATE).persistent(false).bind(keyspace).bind(subject);
        let query = query.bind(after.key.as_deref());
        let query = query.bind(after.shredded_at.map(to_sql)).bind(after.retention.retained_until().map(to_sql));
        query.bind(after.retention.is_held()).execute(&mut *change).await?;
        change.commit().await?;
    }
    Ok(result)
}
