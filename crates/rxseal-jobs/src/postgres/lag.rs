//! What the database says of how long a worker should wait: the time of the day, and replicas that are behind.

use std::time::Duration;

use sqlx::postgres::PgConnection;

use super::session::{self, Begin};
use super::trouble::Trouble;
use crate::limits::Limits;
use crate::trouble::refused;

/// A minute of the day by the server's clock, in the time zone that the role or the database has.
const MINUTE: &str = "SELECT (extract(hour FROM t) * 60 + extract(minute FROM t))::int4 FROM (SELECT now() AT TIME ZONE \
    coalesce((SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'), 'UTC') AS t) AS here";

/// How far the last replica is behind, in milliseconds, and how many replicas this role may not look at. A replica that no longer
/// answers has been behind since its last answer.
const LAG: &str = "SELECT coalesce(max(extract(epoch FROM greatest(replay_lag, write_lag, flush_lag, \
    CASE WHEN sent_lsn > replay_lsn THEN now() - reply_time END)) * 1000), 0)::int8, \
    count(*) FILTER (WHERE state IS NULL) FROM pg_stat_replication";

/// How often to look whether a replica has caught up.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long to wait now.
pub(super) async fn wait(db: &mut PgConnection, limits: &Limits) -> Result<Duration, Trouble> {
    if limits.between.is_none() && limits.max_replica_lag.is_none() {
        return Ok(Duration::ZERO);
    }
    let mut looking = session::begin(db, Begin::ReadOnly).await?;
    let wait = look(&mut looking, limits).await;
    looking.rollback().await?;
    wait
}

async fn look(db: &mut PgConnection, limits: &Limits) -> Result<Duration, Trouble> {
    if let Some(hours) = &limits.between {
        let minute: i32 = sqlx::query_scalar(MINUTE).persistent(false).fetch_one(&mut *db).await?;
        let wait = hours.wait(u16::try_from(minute).unwrap_or_default());
        if !wait.is_zero() {
            return Ok(wait);
        }
    }
    let Some(most) = limits.max_replica_lag else { return Ok(Duration::ZERO) };
    let (lag, hidden): (i64, i64) = sqlx::query_as(LAG).persistent(false).fetch_one(&mut *db).await?;
    if hidden > 0 {
        let text = "the server has replicas, and this role may not see how far they are behind: grant pg_monitor to it, or set no limit";
        return Err(refused(text).into());
    }
    let lag = Duration::from_millis(u64::try_from(lag).unwrap_or_default());
    Ok(if lag > most { LOOK_AGAIN } else { Duration::ZERO })
}
