//! The count of a whole table, at one moment. It knows nothing of chunks, which whoever writes the database can write.

use rxseal::count::{CountSql, KeyCounts};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::table::Table;
use super::trouble::Trouble;
use crate::end::{OtherRows, Totals, counted};
use crate::spec::Spec;

/// Counts the values of all sealed columns by key, and the rows that the job leaves alone.
pub(super) async fn totals(db: &mut PgConnection, table: &Table, spec: &Spec) -> Result<Totals, Trouble> {
    let mut totals = Totals::default();
    for column in counted(spec) {
        totals.add(column, &count(db, table, spec, column.name()).await?);
    }
    if let Some((column, keyspace)) = spec.keyspace_filter() {
        totals.others = other_rows(db, spec.table(), column, keyspace).await?;
    }
    Ok(totals)
}

/// The rows of other keyspaces than this one, and those of none.
pub(super) async fn other_rows(
    db: &mut PgConnection,
    table: &str,
    column: &str,
    keyspace: &str,
) -> Result<OtherRows, Trouble> {
    let sql = CountSql::keyspaces_postgres(table, column)?;
    let query = sqlx::query_as(AssertSqlSafe(sql.as_str().to_owned())).persistent(false);
    let rows: Vec<(String, i64)> = query.fetch_all(&mut *db).await?;
    Ok(OtherRows::of(rows, keyspace))
}

async fn count(db: &mut PgConnection, table: &Table, spec: &Spec, column: &str) -> Result<KeyCounts, Trouble> {
    let mut counts = KeyCounts::default();
    let sql = CountSql::postgres(spec.table(), column)?;
    let sql = match &table.filter {
        Some((filter, _)) => {
            let whole = format!("FROM {} AS v", table.quoted);
            let part = format!("FROM (SELECT * FROM {} AS w WHERE w.{filter}::text = $1) AS v", table.quoted);
            sql.as_str().replacen(&whole, &part, 1)
        }
        None => sql.as_str().to_owned(),
    };
    let mut query = sqlx::query_as(AssertSqlSafe(sql)).persistent(false);
    if let Some((_, keyspace)) = &table.filter {
        query = query.bind(keyspace);
    }
    let rows: Vec<(String, i64)> = query.fetch_all(&mut *db).await?;
    for (key_id, tokens) in rows {
        counts.add_row(&key_id, tokens)?;
    }
    Ok(counts)
}
