//! Counting in PostgreSQL.

use rxseal::Error;
use rxseal::count::{CountSql, IndexCounts, KeyCounts};
use rxseal::provider::need_runtime;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Postgres, Row, Transaction};
use tokio::time::timeout;

use crate::pool::DEADLINE;
use crate::trouble::{Table, postgres_trouble, too_late};
use crate::url::parse_url;

/// Counts the tokens of a column by key, as [`CountSql::postgres`] does, in a read-only transaction.
///
/// A role from which row-level security hides rows is refused. [`KeyCounts::doubt`] says so if the result is of a view,
/// a foreign table, a partition, a standby, or a name without a schema that several tables have.
///
/// Connecting ends within 5 seconds. Counting takes as long as the table needs and has no deadline: use
/// `tokio::time::timeout`, or set `statement_timeout` in the URL. The URL and the password never appear in an error or
/// a log.
///
/// ```no_run
/// # async fn example() -> Result<(), rxseal::Error> {
/// let url = std::env::var("DATABASE_URL").unwrap_or_default();
/// let counts = rxseal_postgres::count_postgres(&url, "pharmacy.rx", "drug").await?;
/// println!("{} tokens, {} values not sealed", counts.total(), counts.not_tokens());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// - `invalid-id` if a name is not valid.
/// - `store-refused` if the table or the column does not exist, has another type or may not be read.
/// - `store-unavailable` if the server cannot be reached or is out of resources.
/// - `runtime-needed` outside of a tokio runtime.
///
/// The cause gives the details.
pub async fn count_postgres(url: &str, table: &str, column: &str) -> Result<KeyCounts, Error> {
    // Made first, since it remembers when the count began.
    let mut counts = KeyCounts::default();
    let (doubt, rows) = run(url, &CountSql::postgres(table, column)?, table, column).await?;
    for (key_id, tokens) in rows {
        counts.add_row(&key_id, tokens)?;
    }
    Ok(counts.doubted(doubt))
}

/// Counts the index values of a column by prefix, as [`CountSql::index_postgres`] does, in a read-only transaction. What
/// [`count_postgres`] says of row-level security, doubts and deadlines holds here too.
///
/// ```no_run
/// # async fn example() -> Result<(), rxseal::Error> {
/// let url = std::env::var("DATABASE_URL").unwrap_or_default();
/// let counts = rxseal_postgres::count_index_postgres(&url, "pharmacy.patient", "born_ix").await?;
/// println!("{} index values, {} rows without one", counts.total(), counts.nulls());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_postgres`].
pub async fn count_index_postgres(url: &str, table: &str, column: &str) -> Result<IndexCounts, Error> {
    let mut counts = IndexCounts::default();
    let (doubt, rows) = run(url, &CountSql::index_postgres(table, column)?, table, column).await?;
    for (prefix, values) in rows {
        counts.add_row(&prefix, values)?;
    }
    Ok(counts.doubted(doubt))
}

/// The rows of each keyspace, as [`CountSql::keyspaces_postgres`] yields them.
///
/// # Errors
///
/// Those of [`count_postgres`].
pub async fn rows_by_keyspace(url: &str, table: &str, column: &str) -> Result<Vec<(String, i64)>, Error> {
    Ok(run(url, &CountSql::keyspaces_postgres(table, column)?, table, column).await?.1)
}

/// What a statement yields, and why there may be more.
type Counted = (Option<&'static str>, Vec<(String, i64)>);

async fn run(url: &str, sql: &CountSql, table: &str, column: &str) -> Result<Counted, Error> {
    connected(url, &Table::Counted { table, column }, async |connection| read(connection, sql).await).await
}

/// Reads these columns of every row as text, in a read-only transaction that sees one state of the table. The values of a row are in the
/// order of `columns`, and `None` is a column without a value. Answers why the table may have more than was read, as
/// [`KeyCounts::doubt`] says it.
///
/// At most 100 rows are in memory at a time. Connecting ends within 5 seconds, and reading has no deadline, as for [`count_postgres`].
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rxseal::Error> {
/// let mut long = 0;
/// rxseal_postgres::scan_postgres("postgres://audit@db/pharmacy", "public.rx", &["document"], |row| {
///     long += row.iter().flatten().filter(|document| document.len() > 10_000).count();
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_postgres`].
pub async fn scan_postgres(
    url: &str,
    table: &str,
    columns: &[&str],
    mut each: impl FnMut(&[Option<&str>]),
) -> Result<Option<&'static str>, Error> {
    let mut names = Vec::new();
    for column in columns {
        // Checked and quoted by the same rules as elsewhere.
        names.push(CountSql::postgres_values(table, column)?);
    }
    let Some(first) = names.first() else { return Ok(None) };
    let from = format!(" FROM {} AS v", first.quoted_table());
    let selected = |sql: &CountSql| {
        let text = sql.as_str().strip_prefix("SELECT ").unwrap_or_default();
        text.strip_suffix(&from).unwrap_or_default().to_owned()
    };
    let selected: Vec<_> = names.iter().map(selected).collect();
    let cursor = format!("DECLARE rxseal_values NO SCROLL CURSOR FOR SELECT {}{from}", selected.join(", "));
    let about = Table::Counted { table, column: columns.first().copied().unwrap_or_default() };
    connected(url, &about, async |connection| {
        let (mut reading, doubt) = begin(connection, first).await?;
        sqlx::query(AssertSqlSafe(cursor)).persistent(false).execute(&mut *reading).await?;
        loop {
            let query = sqlx::query("FETCH 100 FROM rxseal_values").persistent(false);
            let rows = query.fetch_all(&mut *reading).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                // Borrowed from the driver's buffer, so no copy of what may be plaintext is made here.
                let values: Result<Vec<Option<&str>>, _> = (0..columns.len()).map(|at| row.try_get(at)).collect();
                each(&values?);
            }
        }
        reading.rollback().await?;
        Ok(doubt)
    })
    .await
}

/// Runs `work` on a connection of its own.
pub(crate) async fn connected<T>(
    url: &str,
    about: &Table<'_>,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
) -> Result<T, Error> {
    let options = parse_url(url)?;
    need_runtime()?;
    let connected = timeout(DEADLINE, options.connect()).await.map_err(|_| too_late())?;
    let mut connection = connected.map_err(|error| postgres_trouble(&error, about))?;
    let done = work(&mut connection).await;
    // Tells the server at once that nobody reads any more. A failure here changes nothing.
    drop(timeout(DEADLINE, connection.close()).await);
    done.map_err(|error| postgres_trouble(&error, about))
}

const VIEW: &str = "it is a view, which may leave rows out: count the columns of the tables that it is made of";
/// The counted relation, as the server understands the name.
const WHAT: &str = "SELECT pg_is_in_recovery(), c.relkind::text, EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid), (
    SELECT count(*) FROM pg_class AS same JOIN pg_namespace AS n ON n.oid = same.relnamespace
    WHERE same.relname = c.relname AND same.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
) FROM pg_class AS c WHERE c.oid = to_regclass($1)";

/// Begins to read, and says why there may be more than is read.
pub(crate) async fn begin<'c>(
    connection: &'c mut PgConnection,
    sql: &CountSql,
) -> Result<(Transaction<'c, Postgres>, Option<&'static str>), sqlx::Error> {
    let mut reading = connection.begin_with("BEGIN READ ONLY").await?;
    // Hidden rows are an error, even in tables behind a view. To compile a count takes the server a second, whatever the table's size.
    let settings = "SELECT set_config('row_security', 'off', true), set_config('jit', 'off', true)";
    sqlx::query(settings).persistent(false).execute(&mut *reading).await?;
    let what = sqlx::query_as(WHAT).persistent(false).bind(sql.quoted_table());
    let what: Option<(bool, String, bool, i64)> = what.fetch_optional(&mut *reading).await?;
    let has_schema = sql.schema().is_some();
    let doubt =
        what.and_then(|(is_standby, kind, is_part, named)| doubt(is_standby, &kind, is_part, named > 1 && !has_schema));
    Ok((reading, doubt))
}

async fn read(connection: &mut PgConnection, sql: &CountSql) -> Result<Counted, sqlx::Error> {
    let (mut reading, doubt) = begin(connection, sql).await?;
    // The statement is constant except for its quoted names.
    let query = sqlx::query_as(AssertSqlSafe(sql.as_str().to_owned())).persistent(false);
    let rows = query.fetch_all(&mut *reading).await?;
    reading.rollback().await?;
    Ok((doubt, rows))
}

fn doubt(is_standby: bool, kind: &str, is_partition: bool, is_one_of_several: bool) -> Option<&'static str> {
    match kind {
        _ if is_standby => Some("the server is a standby, which may be behind: count on the primary server"),
        "v" => Some(VIEW),
        "m" => Some(
            "it is a materialized view, which may be out of date: count the columns of the tables that it is made of",
        ),
        "f" => Some("it is a foreign table, which may leave rows out: count on its own server"),
        _ if is_partition => Some(
            "it is a partition, or a table that inherits, which leaves the rows of the others out: count the whole table",
        ),
        _ if is_one_of_several => Some("there are several tables of this name: write `schema.table`"),
        _ => None,
    }
}
