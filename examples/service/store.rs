//! The tables. Nothing here has a key: rows come and go as they are stored.

use std::path::Path;

use axum::http::StatusCode;
use rxseal::RecordTag;
use rxseal::index::Index;
use rxseal_axum::Problem;
use rxseal_search::IndexQuery;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow, query, query_as};
use uuid::Uuid;

use crate::records::{SealedPatient, SealedPhone, SealedPrescription};

pub const NOT_FOUND: Problem = Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such record.");
pub const CONFLICT: Problem = Problem::new(StatusCode::CONFLICT, "conflict", "Somebody else wrote it. Read it again.");
const DATABASE: Problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "database", "The database failed.");

pub struct Store(SqlitePool);

impl Store {
    pub async fn open(path: &Path) -> sqlx::Result<Self> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path).create_if_missing(true)).await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
        Ok(Self(pool))
    }

    /// One patient, or all.
    pub async fn patients(&self, tenant: &str, id: Option<Uuid>) -> Result<Vec<SealedPatient>, Problem> {
        self.rows("SELECT * FROM patient WHERE tenant = ?1 AND id = coalesce(?2, id)", tenant, id).await
    }

    /// Of one patient, or all.
    pub async fn prescriptions(&self, tenant: &str, of: Option<Uuid>) -> Result<Vec<SealedPrescription>, Problem> {
        self.rows("SELECT * FROM prescription WHERE tenant = ?1 AND patient = coalesce(?2, patient)", tenant, of).await
    }

    pub async fn prescription(&self, tenant: &str, rx_number: u32) -> Result<SealedPrescription, Problem> {
        let sql = "SELECT * FROM prescription WHERE tenant = ?1 AND rx_number = ?2";
        query_as(sql).bind(tenant).bind(rx_number).fetch_optional(&self.0).await.map_err(failed)?.ok_or(NOT_FOUND)
    }

    pub async fn phones(&self, tenant: &str) -> Result<Vec<SealedPhone>, Problem> {
        self.rows("SELECT * FROM phone WHERE tenant = ?1 AND patient = coalesce(?2, patient)", tenant, None).await
    }

    pub async fn save_patient(&self, tenant: &str, row: &SealedPatient) -> Result<(), Problem> {
        let statement = query("REPLACE INTO patient VALUES (?, ?, ?, ?, ?, ?, ?, ?)").bind(tenant).bind(row.id);
        let statement = statement.bind(&row.first_name).bind(&row.last_name).bind(&row.born).bind(row.born_on);
        statement.bind(&row.phone).bind(row.phone_is).execute(&self.0).await.map(drop).map_err(failed)
    }

    /// The candidates of a search: most of them are strangers.
    pub async fn candidates<I: Index>(
        &self,
        tenant: &str,
        column: &'static str,
        query: &IndexQuery<I>,
    ) -> Result<Vec<SealedPatient>, Problem> {
        let sql = format!("SELECT * FROM patient WHERE tenant = ? AND {column} IN ({})", query.placeholders());
        let statement = query_as(AssertSqlSafe(sql)).bind(tenant);
        let statement = query.values().iter().fold(statement, |statement, value| statement.bind(*value));
        statement.fetch_all(&self.0).await.map_err(failed)
    }

    /// What still finds a patient after the key is gone.
    pub async fn clear_indexes(&self, tenant: &str, id: Uuid) -> Result<(), Problem> {
        let sql = "UPDATE patient SET born_on = NULL, phone_is = NULL WHERE tenant = ? AND id = ?";
        query(sql).bind(tenant).bind(id).execute(&self.0).await.map(drop).map_err(failed)
    }

    /// Writes a new row, or one in place of the row with the tag `was`. Whoever comes second has a conflict.
    pub async fn save(&self, tenant: &str, row: &SealedPrescription, was: Option<&RecordTag>) -> Result<(), Problem> {
        let sql = "REPLACE INTO prescription SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
            WHERE (SELECT tag FROM prescription WHERE tenant = ?1 AND rx_number = ?2) IS ?8";
        let statement = query(sql).bind(tenant).bind(row.rx_number).bind(row.patient).bind(&row.drug);
        let statement = statement.bind(&row.directions).bind(row.refills).bind(row.tag).bind(was);
        let done = statement.execute(&self.0).await.map_err(failed)?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(CONFLICT) }
    }

    pub async fn save_phone(&self, tenant: &str, row: &SealedPhone) -> Result<(), Problem> {
        let statement = query("REPLACE INTO phone VALUES (?, ?, ?)").bind(tenant).bind(row.patient).bind(&row.number);
        statement.execute(&self.0).await.map(drop).map_err(failed)
    }

    /// It may be plaintext, which dies with no key.
    pub async fn delete_phone(&self, tenant: &str, patient: Uuid) -> Result<(), Problem> {
        let statement = query("DELETE FROM phone WHERE tenant = ? AND patient = ?").bind(tenant).bind(patient);
        statement.execute(&self.0).await.map(drop).map_err(failed)
    }

    /// Rows of a statement that names them by tenant, and by one id or all.
    pub async fn rows<T>(&self, sql: &'static str, tenant: &str, id: Option<Uuid>) -> Result<Vec<T>, Problem>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        query_as(sql).bind(tenant).bind(id).fetch_all(&self.0).await.map_err(failed)
    }
}

/// The text of a driver's error may quote a value.
fn failed(error: sqlx::Error) -> Problem {
    let is_damaged = matches!(error, sqlx::Error::ColumnDecode { .. });
    eprintln!("error: {}", if is_damaged { "a sealed column holds something else" } else { "the database failed" });
    DATABASE
}
