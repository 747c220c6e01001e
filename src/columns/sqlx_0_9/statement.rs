//! Statements of ours that sqlx runs as they are.

use sqlx_core::sql_str::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::count::CountSql;

/// It may be run (feature `sqlx_0_9`): names in it are quoted, and it has no other input. `KeyCounts::add_row` takes the rows:
///
/// ```ignore
/// let mut counts = KeyCounts::default();
/// let rows: Vec<(String, i64)> = sqlx::query_as(CountSql::postgres("rx", "drug")?).fetch_all(&db).await?;
/// for (key_id, tokens) in rows {
///     counts.add_row(&key_id, tokens)?;
/// }
/// ```
impl SqlSafeStr for CountSql {
    fn into_sql_str(self) -> SqlStr {
        AssertSqlSafe(self.as_str()).into_sql_str()
    }
}

/// As for [`CountSql`].
impl SqlSafeStr for &CountSql {
    fn into_sql_str(self) -> SqlStr {
        AssertSqlSafe(self.as_str()).into_sql_str()
    }
}
