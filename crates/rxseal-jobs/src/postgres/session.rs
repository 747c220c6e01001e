//! Connections to the database of a job.

use std::time::Duration;

use rxseal::Error;
use rxseal::provider::need_runtime;
use rxseal_postgres::__private::parse_url;
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use super::trouble::Trouble;

/// Connecting takes no longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Values have one text each, whatever the role's own settings are. Rows that row-level security would hide are an error.
const SETTINGS: &str = "SELECT set_config('row_security', 'off', false), set_config('DateStyle', 'ISO', false), \
    set_config('TimeZone', 'UTC', false), set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false)";

/// Of a worker. Losing the last chunks in a crash of the server does no harm: they are done again.
const WORKER: &str = "SELECT set_config('synchronous_commit', 'off', false), set_config('statement_timeout', $1, false), \
    set_config('idle_in_transaction_session_timeout', $2, false), set_config('lock_timeout', $3, false)";

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
    let mut db = connected.map_err(|error| Trouble::Sqlx(error).explained())?;
    // One row of settings.
    let set = sqlx::query(SETTINGS).persistent(false).execute(&mut db).await;
    set.map_err(|error| Trouble::Sqlx(error).explained())?;
    Ok(db)
}

/// A connection of a worker, with its time-outs.
pub(super) async fn connect_worker(url: &str, statement: Duration, idle: Duration) -> Result<PgConnection, Error> {
    let mut db = connect(url).await?;
    let milliseconds = |time: Duration| time.as_millis().to_string();
    let query =
        sqlx::query(WORKER).persistent(false).bind(milliseconds(statement)).bind(milliseconds(idle)).bind(LOCK_TIMEOUT);
    query.execute(&mut db).await.map_err(|error| Trouble::Sqlx(error).explained())?;
    Ok(db)
}

/// Tells the server that nobody reads any more.
pub(super) async fn close(db: PgConnection) {
    drop(timeout(DEADLINE, db.close()).await);
}
