//! What the server says of itself: its log, its replicas, and what keeps old rows and WAL.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{query_as, query_scalar};

use super::table::{Table, row};
use crate::preflight::{Concern, ConcernKind, Flow, Preflight, Replica};

pub(super) async fn look(
    db: &mut PgConnection,
    table: &Table,
    flow: Flow,
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    if table.is_standby {
        return Ok(());
    }
    if flow == Flow::Unseal && logs_values(db).await? {
        found.add(Concern::of(ConcernKind::LoggedValues));
    }
    replicas(db, found).await?;
    keeps_wal(db, found).await?;
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE xact_start < now() - interval '1 hour' AND pid <> pg_backend_pid())
        OR EXISTS (SELECT FROM pg_prepared_xacts WHERE prepared < now() - interval '1 hour')";
    if query_scalar(sql).persistent(false).fetch_one(&mut *db).await? {
        found.add(Concern::of(ConcernKind::OldTransaction));
    }
    Ok(())
}

/// Whether a statement of this role is logged with what is bound to it, now or when it fails.
pub(in crate::postgres) async fn logs_values(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let sql = "SELECT current_setting('log_parameter_max_length_on_error', true) IS DISTINCT FROM '0'
        OR coalesce(current_setting('pgaudit.log_parameter', true), '') = 'on'
        OR coalesce(current_setting('auto_explain.log_min_duration', true), '-1') <> '-1'
            AND coalesce(current_setting('auto_explain.log_parameter_max_length', true), '-1') <> '0'
        OR current_setting('log_parameter_max_length', true) IS DISTINCT FROM '0' AND (
            current_setting('log_statement') IN ('mod', 'all') OR current_setting('log_min_duration_statement') <> '-1'
            OR coalesce(current_setting('log_min_duration_sample', true), '-1') <> '-1' OR current_setting('log_duration')::boolean
            OR coalesce(current_setting('log_transaction_sample_rate', true), '0') <> '0')";
    query_scalar(sql).persistent(false).fetch_one(db).await
}

row! {
    struct Sender {
        name: String,
        state: Option<String>,
        synchronous: Option<String>,
        behind: Option<i64>,
        lag: Option<f64>,
    }
}

async fn replicas(db: &mut PgConnection, found: &mut Preflight) -> Result<(), sqlx::Error> {
    let sql = "SELECT coalesce(application_name, '') AS name, state, sync_state AS synchronous,
        pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS behind, extract(epoch FROM replay_lag)::float8 AS lag
        FROM pg_stat_replication ORDER BY 1";
    let senders: Vec<Sender> = query_as(sql).persistent(false).fetch_all(db).await?;
    if senders.iter().any(|sender| sender.state.is_none()) {
        found.add(Concern::of(ConcernKind::HiddenReplicas));
    }
    let replica = |sender: Sender| Replica {
        name: sender.name,
        is_synchronous: matches!(sender.synchronous.as_deref(), Some("sync" | "quorum")),
        bytes_behind: sender.behind.and_then(|bytes| u64::try_from(bytes).ok()),
        lag: sender.lag.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    found.sends_to(senders.into_iter().map(replica).collect());
    Ok(())
}

async fn keeps_wal(db: &mut PgConnection, found: &mut Preflight) -> Result<(), sqlx::Error> {
    let sql = "SELECT slot_name::text FROM pg_replication_slots WHERE NOT active ORDER BY 1";
    let slots: Vec<(String,)> = query_as(sql).persistent(false).fetch_all(&mut *db).await?;
    for (name,) in slots {
        found.add(Concern::of(ConcernKind::IdleSlot).object(name));
    }
    let sql = "SELECT current_setting('archive_mode') <> 'off'
        AND coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) FROM pg_stat_archiver";
    if query_scalar(sql).persistent(false).fetch_one(db).await? {
        found.add(Concern::of(ConcernKind::Archiving));
    }
    Ok(())
}
