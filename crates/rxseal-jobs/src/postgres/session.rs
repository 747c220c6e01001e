//! Connections to the database of a job.

use std::time::Duration;

use rxseal::Error;
use rxseal::provider::need_runtime;
use rxseal_postgres::__private::parse_url;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Transaction};
use tokio::time::timeout;

use super::trouble::Trouble;

/// Connecting takes no longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Values have one text each, whatever the role's own settings are. Rows that row-level security would hide are an error. To compile a count
/// takes the server a second, which is longer than it counts a small table.
///
/// Settings are those of one transaction. A pooler may give each transaction another session, which must neither lack them nor keep them.
const SETTINGS: &str = "SELECT set_config('row_security', 'off', true), set_config('DateStyle', 'ISO', true), \
    set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true), \
    set_config('jit', 'off', true)";

/// Of a chunk, beside [`SETTINGS`]. Losing the last chunks in a crash of the server does no harm: they are done again.
const CHUNK: &str = "set_config('synchronous_commit', 'off', true), set_config('statement_timeout', $1, true), \
    set_config('idle_in_transaction_session_timeout', $2, true), set_config('lock_timeout', $3, true)";

/// Of the end of a job. It is on disk, and so is every chunk before it, whatever the role's own setting is.
const DURABLE: &str =
    "SELECT set_config('synchronous_commit', 'local', true) WHERE current_setting('synchronous_commit') = 'off'";

/// How long a statement waits for a row that another program has locked. It is less than the second after which the server looks for a
/// deadlock, so the job gives way and no application has to.
const LOCK_TIMEOUT: &str = "500";

pub(super) async fn connect(url: &str) -> Result<PgConnection, Error> {
    let options = parse_url(url)?;
    need_runtime()?;
    let late = || {
        Error::from_store(
            true,
            "the database did not answer within 10 seconds: check that it runs and can be reached from here",
        )
    };
    let connected = timeout(DEADLINE, options.connect()).await.map_err(|_| late())?;
    connected.map_err(|error| Trouble::Sqlx(error).explained())
}

/// How a transaction begins. Every statement of a job is in one, since a pooler may take the session away behind it.
#[derive(Clone, Copy)]
pub(super) enum Begin {
    /// To read or write the tables of jobs.
    Plain,
    /// To look, and write nothing.
    ReadOnly,
    /// To see one moment.
    Snapshot,
    /// To write what must not be lost.
    Durable,
}

pub(super) async fn begin(db: &mut PgConnection, how: Begin) -> Result<Transaction<'_, Postgres>, Trouble> {
    let begin = match how {
        Begin::Plain | Begin::Durable => "BEGIN",
        Begin::ReadOnly => "BEGIN READ ONLY",
        Begin::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ",
    };
    let mut transaction = db.begin_with(begin).await?;
    sqlx::query(SETTINGS).persistent(false).execute(&mut *transaction).await?;
    if matches!(how, Begin::Durable) {
        sqlx::query(DURABLE).persistent(false).execute(&mut *transaction).await?;
    }
    Ok(transaction)
}

/// The transaction of a chunk, with its time-outs.
pub(super) async fn begin_chunk(
    db: &mut PgConnection,
    statement: Duration,
    idle: Duration,
) -> Result<Transaction<'_, Postgres>, Trouble> {
    let mut transaction = db.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let milliseconds = |time: Duration| time.as_millis().to_string();
    let query = sqlx::query(AssertSqlSafe(format!("{SETTINGS}, {CHUNK}"))).persistent(false);
    let query = query.bind(milliseconds(statement)).bind(milliseconds(idle)).bind(LOCK_TIMEOUT);
    query.execute(&mut *transaction).await?;
    Ok(transaction)
}

/// Tells the server that nobody reads any more.
pub(super) async fn close(db: PgConnection) {
    drop(timeout(DEADLINE, db.close()).await);
}
