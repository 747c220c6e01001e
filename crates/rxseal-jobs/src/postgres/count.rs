//! The count of a whole table, at one moment. It knows nothing of chunks, which whoever writes the database can write.

use rxseal::count::{CountSql, KeyCounts};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::table::Table;
use super::trouble::Trouble;
use crate::end::Totals;
use crate::spec::{ColumnRole, Spec};

/// Counts the values of all sealed columns by key.
pub(super) async fn totals(db: &mut PgConnection, table: &Table, spec: &Spec) -> Result<Totals, Trouble> {
    let mut totals = Totals::default();
    for column in spec.columns().iter().filter(|column| column.role() == ColumnRole::Sealed) {
        let counts = count(db, table, spec, column.name()).await?;
        totals.plaintext = totals.plaintext.saturating_add(counts.not_tokens());
        totals.nulls = totals.nulls.saturating_add(counts.nulls());
        for (key, tokens) in counts.iter() {
            let under = totals.under.entry(key).or_default();
            *under = under.saturating_add(tokens);
        }
    }
    // A tag is under a key as well. A record that is not sealed yet has none.
    for column in spec.columns().iter().filter(|column| column.role() == ColumnRole::Tag) {
        for (key, tags) in count(db, table, spec, column.name()).await?.iter() {
            let under = totals.under.entry(key).or_default();
            *under = under.saturating_add(tags);
        }
    }
    Ok(totals)
}

async fn count(db: &mut PgConnection, table: &Table, spec: &Spec, column: &str) -> Result<KeyCounts, Trouble> {
    let mut counts = KeyCounts::default();
    let sql = CountSql::postgres(spec.table(), column)?;
    let keyspace = spec.keyspace_filter().map(|(_, keyspace)| keyspace);
    let sql = match table.filter.as_ref().map(|(column, _)| column) {
        Some(filter) => {
            let whole = format!("FROM {} AS v", table.quoted);
            let part = format!("FROM (SELECT * FROM {} AS w WHERE w.{filter}::text = $1) AS v", table.quoted);
            sql.as_str().replacen(&whole, &part, 1)
        }
        None => sql.as_str().to_owned(),
    };
    let mut query = sqlx::query_as(AssertSqlSafe(sql)).persistent(false);
    if let Some(keyspace) = keyspace {
        query = query.bind(keyspace);
    }
    let rows: Vec<(String, i64)> = query.fetch_all(&mut *db).await?;
    for (key_id, tokens) in rows {
        counts.add_row(&key_id, tokens)?;
    }
    Ok(counts)
}
