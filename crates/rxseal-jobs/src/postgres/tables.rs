//! The three tables of jobs: `rxseal_job`, `rxseal_chunk` and `rxseal_fault`.

use rxseal::{Error, KeyId};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use super::approval;
use super::numbers::{int4, int8, nat};
use super::trouble::Trouble;
use crate::fault::{Fault, FieldFault, Reason};
use crate::progress::{Counts, State, Status};
use crate::spec::{Operation, Pinned, Spec};
use crate::trouble::refused;

pub(super) const SCHEMA: &str = include_str!("sql/jobs.sql");

/// A chunk that this worker has, until its transaction ends.
pub(super) struct Taken {
    pub(super) no: u32,
    pub(super) lo: Option<String>,
    pub(super) hi: Option<String>,
}

const JOB: &str = "SELECT state, spec_digest, generation, target FROM rxseal_job WHERE job = $1";
const TAKE: &str =
    "SELECT no, lo, hi FROM rxseal_chunk WHERE job = $1 AND state = 'todo' ORDER BY no FOR UPDATE SKIP LOCKED LIMIT 1";
const TICK_OFF: &str = "UPDATE rxseal_chunk SET state = 'done', worker = $3, rows = $4, written = $5, skipped = $6, retried = $7, \
    failed = $8, sealed = $9, unsealed = $10, at = now() WHERE job = $1 AND no = $2";
const PUT_FAULTS: &str = "INSERT INTO rxseal_fault (job, chunk, row_id, field, reason) \
    SELECT $1, * FROM unnest($2::int4[], $3::text[], $4::text[], $5::text[])";
const FAULTS: &str =
    "SELECT id, chunk, row_id, field, reason FROM rxseal_fault WHERE job = $1 AND id > $2 ORDER BY id LIMIT $3";
const STATUS: &str = "SELECT j.job, j.op, j.at, j.state, j.rows_total, \
    to_char(j.created AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), c.*, \
    (SELECT count(*) FROM rxseal_fault AS f WHERE f.job = j.job), j.plain_at_start \
    FROM rxseal_job AS j, LATERAL (SELECT count(*), count(*) FILTER (WHERE state = 'done'), \
    coalesce(sum(rows), 0)::int8, coalesce(sum(written), 0)::int8, coalesce(sum(skipped), 0)::int8, coalesce(sum(retried), 0)::int8, \
    coalesce(sum(failed), 0)::int8, coalesce(sum(sealed), 0)::int8, coalesce(sum(unsealed), 0)::int8 \
    FROM rxseal_chunk WHERE job = j.job) AS c \
    WHERE $1::text IS NULL OR j.job = $1 ORDER BY j.created, j.job";
const INSERT: &str = "INSERT INTO rxseal_job (job, op, at, spec, spec_digest, generation, target, rows_total, plain_at_start) \
    VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
const REOPEN: &[&str] = &[
    "DELETE FROM rxseal_fault WHERE job = $1",
    "UPDATE rxseal_chunk SET state = 'todo', worker = NULL, rows = 0, written = 0, skipped = 0, retried = 0, failed = 0, sealed = 0, \
     unsealed = 0, at = NULL WHERE job = $1",
];
const REOPENED: &str = "UPDATE rxseal_job SET state = 'running', plain_at_start = $2, generation = greatest(generation, $3) WHERE job = $1";

/// What a job is doing, and what it was planned with.
pub(super) async fn job(db: &mut PgConnection, job: &str) -> Result<(State, Pinned), Trouble> {
    let row = sqlx::query(JOB).persistent(false).bind(job).fetch_optional(&mut *db).await?.ok_or_else(no_such_job)?;
    let (state, digest): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    let (generation, target): (i64, String) = (row.try_get(2)?, row.try_get(3)?);
    let changed = || refused("a row of rxseal_job was changed by hand: plan a new job");
    let pinned = Pinned {
        digest: digest.try_into().map_err(|_| changed())?,
        generation: u64::try_from(generation).map_err(|_| changed())?,
        target: target.parse::<KeyId>().map_err(|_| changed())?,
    };
    Ok((state.parse()?, pinned))
}

/// The record type of a job, as its spec says it.
pub(super) async fn record_type(db: &mut PgConnection, job: &str) -> Result<String, Trouble> {
    const RECORD: &str = "SELECT spec->>'record_type' FROM rxseal_job WHERE job = $1";
    let found: Option<Option<String>> =
        sqlx::query_scalar(RECORD).persistent(false).bind(job).fetch_optional(&mut *db).await?;
    Ok(found.ok_or_else(no_such_job)?.unwrap_or_default())
}

pub(super) fn no_such_job() -> Error {
    refused("there is no job of this name in the database: plan it first")
}

pub(super) async fn take(db: &mut PgConnection, job: &str) -> Result<Option<Taken>, Trouble> {
    let row: Option<(i32, Option<String>, Option<String>)> =
        sqlx::query_as(TAKE).persistent(false).bind(job).fetch_optional(&mut *db).await?;
    Ok(row.map(|(no, lo, hi)| Taken { no: u32::try_from(no).unwrap_or_default(), lo, hi }))
}

pub(super) async fn tick_off(
    db: &mut PgConnection,
    job: &str,
    worker: &str,
    no: u32,
    counts: &Counts,
) -> Result<(), Trouble> {
    let Counts { rows, written, skipped, retried, failed, sealed, unsealed } = *counts;
    let mut query = sqlx::query(TICK_OFF).persistent(false).bind(job).bind(int4(no)).bind(worker);
    for count in [rows, written, skipped, retried, failed, sealed, unsealed] {
        query = query.bind(int8(count));
    }
    query.execute(&mut *db).await?;
    Ok(())
}

pub(super) async fn put_faults(db: &mut PgConnection, job: &str, faults: &[Fault]) -> Result<(), Trouble> {
    if faults.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(PUT_FAULTS).persistent(false).bind(job);
    let query = query.bind(faults.iter().map(|fault| int4(fault.chunk)).collect::<Vec<_>>());
    let query = query.bind(faults.iter().map(|fault| fault.row_id.as_str()).collect::<Vec<_>>());
    let query = query.bind(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>());
    query.bind(faults.iter().map(|fault| fault.reason.as_str()).collect::<Vec<_>>()).execute(&mut *db).await?;
    Ok(())
}

/// The faults behind this one, and the number of the last.
pub(super) async fn faults(
    db: &mut PgConnection,
    job: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, Fault)>, Trouble> {
    let query = sqlx::query(FAULTS).persistent(false).bind(job).bind(int8(after)).bind(i64::from(limit));
    let of = |row: PgRow| {
        let (id, chunk): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
        let (row_id, field, reason): (String, String, String) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        let reason = Reason::parse(&reason)
            .ok_or_else(|| refused("rxseal_fault has a reason that this release does not know"))?;
        let fault = Fault::new(u32::try_from(chunk).unwrap_or_default(), row_id, FieldFault::new(field, reason));
        Ok((nat(id), fault))
    };
    query.fetch_all(&mut *db).await?.into_iter().map(of).collect()
}

/// How far a job is, or all jobs, and how much plaintext there was when each was planned, if that was counted.
pub(super) async fn statuses(db: &mut PgConnection, job: Option<&str>) -> Result<Vec<(Status, Option<u64>)>, Trouble> {
    let of = |row: PgRow| {
        let count = |at: usize| row.try_get::<i64, _>(at).map(nat);
        let operation: String = row.try_get(1)?;
        let state: String = row.try_get(3)?;
        let counts = Counts {
            rows: count(8)?,
            written: count(9)?,
            skipped: count(10)?,
            retried: count(11)?,
            failed: count(12)?,
            sealed: count(13)?,
            unsealed: count(14)?,
        };
        let status = Status {
            job: row.try_get(0)?,
            operation: operation.parse()?,
            at: row.try_get(2)?,
            state: state.parse()?,
            rows_total: count(4)?,
            chunks: u32::try_from(count(6)?).unwrap_or(u32::MAX),
            chunks_done: u32::try_from(count(7)?).unwrap_or(u32::MAX),
            counts,
            faults: count(15)?,
            approvals: Vec::new(),
            created: row.try_get(5)?,
        };
        Ok((status, row.try_get::<Option<i64>, _>(16)?.map(nat)))
    };
    let rows = sqlx::query(STATUS).persistent(false).bind(job).fetch_all(&mut *db).await?;
    let mut statuses = rows.into_iter().map(of).collect::<Result<Vec<_>, Trouble>>()?;
    for (status, _) in &mut statuses {
        if status.operation == Operation::Unseal {
            status.approvals = approval::all(db, &status.job).await?;
        }
    }
    Ok(statuses)
}

/// Puts a new job into the table. False if there is one of this name.
pub(super) async fn insert(
    db: &mut PgConnection,
    job: &str,
    spec: &Spec,
    rows: u64,
    plaintext: u64,
) -> Result<bool, Trouble> {
    let pinned = spec.pinned();
    let query = sqlx::query(INSERT)
        .persistent(false)
        .bind(job)
        .bind(spec.operation().as_str())
        .bind(spec.at())
        .bind(spec.to_json());
    let query = query.bind(pinned.digest.to_vec()).bind(int8(pinned.generation)).bind(pinned.target.to_string());
    let done = query.bind(int8(rows)).bind(int8(plaintext)).execute(&mut *db).await?;
    Ok(done.rows_affected() > 0)
}

/// All chunks are to be done again. How much plaintext there is now is counted by the next worker if it is not given.
pub(super) async fn reopen(
    db: &mut PgConnection,
    job: &str,
    plaintext: Option<u64>,
    generation: u64,
) -> Result<(), Trouble> {
    for statement in REOPEN {
        sqlx::query(*statement).persistent(false).bind(job).execute(&mut *db).await?;
    }
    let plaintext = plaintext.map(int8);
    let query = sqlx::query(REOPENED).persistent(false).bind(job).bind(plaintext).bind(int8(generation));
    query.execute(&mut *db).await?;
    Ok(())
}

/// Whether nobody counted yet how much plaintext there is, since the job was stopped and resumed.
pub(super) async fn is_to_be_counted(db: &mut PgConnection, job: &str) -> Result<bool, Trouble> {
    const IS: &str = "SELECT EXISTS (SELECT FROM rxseal_job WHERE job = $1 AND plain_at_start IS NULL)";
    Ok(sqlx::query_scalar(IS).persistent(false).bind(job).fetch_one(&mut *db).await?)
}

/// How much plaintext there was, if nobody counted it yet.
pub(super) async fn begin_from(db: &mut PgConnection, job: &str, plaintext: u64) -> Result<(), Trouble> {
    const BEGIN_FROM: &str = "UPDATE rxseal_job SET plain_at_start = $2 WHERE job = $1 AND plain_at_start IS NULL";
    sqlx::query(BEGIN_FROM).persistent(false).bind(job).bind(int8(plaintext)).execute(&mut *db).await?;
    Ok(())
}

/// Gives a job another state, if it has one of these.
pub(super) async fn turn(db: &mut PgConnection, job: &str, from: &[State], to: State) -> Result<bool, Trouble> {
    const TURN: &str = "UPDATE rxseal_job SET state = $3 WHERE job = $1 AND state = ANY($2)";
    let from: Vec<_> = from.iter().map(|state| state.as_str()).collect();
    let done = sqlx::query(TURN).persistent(false).bind(job).bind(from).bind(to.as_str()).execute(&mut *db).await?;
    Ok(done.rows_affected() > 0)
}
