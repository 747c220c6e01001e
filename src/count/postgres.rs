//! Counting in PostgreSQL.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::time::timeout;

use super::{CountSql, KeyCounts};
use crate::error::Error;
use crate::runtime::need_runtime;
use crate::store::{DEADLINE, Table, parse_url, postgres_trouble, too_late};

/// Counts the tokens of a column by key, as [`CountSql::postgres`] does, in a read-only transaction (feature `postgres-store`).
///
/// Connecting ends within 5 seconds. How long the counting takes depends on the table, so it has no deadline: put it into a
/// `tokio::time::timeout`, or set `statement_timeout` in the URL. The URL and the password are in no error and no log.
///
/// ```no_run
/// # async fn example() -> Result<(), rxseal::Error> {
/// let url = std::env::var("DATABASE_URL").unwrap_or_default();
/// let counts = rxseal::count_postgres(&url, "pharmacy.rx", "drug").await?;
/// println!("{} tokens, {} values not sealed", counts.total(), counts.not_tokens());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `invalid-id`: a name that can be none; `store-refused`: the table or the column is not there, of another type, or may not be read;
/// `store-unavailable`: the server is not reachable or has no room; `runtime-needed` outside of a tokio runtime. The cause
/// says which.
pub async fn count_postgres(url: &str, table: &str, column: &str) -> Result<KeyCounts, Error> {
    let sql = CountSql::postgres(table, column)?;
    let options = parse_url(url)?;
    need_runtime()?;
    let about = Table::Counted { table, column };
    let connected = timeout(DEADLINE, options.connect()).await.map_err(|_| too_late())?;
    let mut connection = connected.map_err(|error| postgres_trouble(&error, &about))?;
    let rows = read(&mut connection, &sql).await;
    // The server learns at once that nobody reads any more; a failure here changes nothing.
    drop(timeout(DEADLINE, connection.close()).await);
    let mut counts = KeyCounts::default();
    for (key_id, tokens) in rows.map_err(|error| postgres_trouble(&error, &about))? {
        counts.add_row(&key_id, tokens)?;
    }
    Ok(counts)
}

async fn read(connection: &mut PgConnection, sql: &CountSql) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let mut reading = connection.begin_with("BEGIN READ ONLY").await?;
    // All of the statement but quoted names is constant.
    let query = sqlx::query_as(AssertSqlSafe(sql.as_str().to_owned())).persistent(false);
    let rows = query.fetch_all(&mut *reading).await?;
    reading.rollback().await?;
    Ok(rows)
}
