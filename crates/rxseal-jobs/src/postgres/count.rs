//! The count of a whole table, at one moment. It knows nothing of chunks, which whoever writes the database can write.

use rxseal::count::{CountSql, KeyCounts};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::statements::stored;
use super::table::Table;
use super::trouble::Trouble;
use crate::end::{OtherRows, Totals, counted};
use crate::spec::{Column, Holds, Spec};

/// Counts the values of all sealed columns by key, and the rows that the job leaves alone.
pub(super) async fn totals(db: &mut PgConnection, table: &Table, spec: &Spec) -> Result<Totals, Trouble> {
    let mut totals = Totals::default();
    for column in counted(spec) {
        let plain_lists = if column.is_list() { Some(plain_lists(db, table, spec, column).await?) } else { None };
        totals.add(column, &count(db, table, spec, column.name()).await?, plain_lists);
    }
    if let Some((column, keyspace)) = spec.keyspace_filter() {
        totals.others = other_rows(db, spec.table(), column, keyspace).await?;
    }
    Ok(totals)
}

/// How many cells of a column of lists or maps have something in them beside tokens, and the keys of a map.
async fn plain_lists(db: &mut PgConnection, table: &Table, spec: &Spec, column: &Column) -> Result<u64, Trouble> {
    const TOKEN: &str = r#""rxs[A-Z][A-Za-z0-9_-]+""#;
    const KEY: &str = r#""([^"\\]|\\.)+"\s*:\s*"#;
    let key = if column.holds() == Holds::Map { KEY } else { "" };
    let at = spec.columns().iter().position(|other| other == column).and_then(|at| table.columns.get(at));
    let Some(at) = at else { return Ok(0) };
    let filter = table.filter.as_ref().map(|(filter, _)| format!("WHERE t.{filter}::text = $3")).unwrap_or_default();
    let sql = format!(
        "SELECT count(*) FILTER (WHERE s.c IS NOT NULL AND regexp_replace(s.c, $1, '', 'g') !~ $2) FROM (SELECT {} AS c FROM {} AS t {filter}) AS s",
        stored(at),
        table.quoted,
    );
    let (values, nothing) =
        (format!("{key}{TOKEN}"), if key.is_empty() { r"^\s*\[[\s,]*\]\s*$" } else { r"^\s*\{[\s,]*\}\s*$" });
    let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).bind(values).bind(nothing);
    if let Some((_, keyspace)) = &table.filter {
        query = query.bind(keyspace);
    }
    let plain: i64 = query.fetch_one(&mut *db).await?;
    Ok(u64::try_from(plain).unwrap_or_default())
}

/// The rows of other keyspaces than this one, and the rows of no keyspace.
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
