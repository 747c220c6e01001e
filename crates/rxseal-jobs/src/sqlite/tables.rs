//! The tables of jobs: which there are, which chunks are left, and what was found.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use rxseal::{Error, KeyId};

use super::approval;
use super::held::Held;
use super::numbers::{count, number};
use super::place;
use super::trouble::Trouble;
use crate::fault::{Fault, FieldFault, Reason};
use crate::progress::{Counts, State, Status};
use crate::spec::{Pinned, Spec};
use crate::trouble::refused;

/// The tables of jobs, in the database of the table that they are about: a chunk and its rows are one transaction.
pub(super) const SCHEMA: &str = include_str!("sql/jobs.sql");

/// A chunk that is not done.
pub(super) struct Chunk {
    pub(super) no: u32,
    pub(super) lower: Option<Vec<Held>>,
    pub(super) upper: Option<Vec<Held>>,
}

/// Whether the file has the tables.
pub(super) fn exist(connection: &Connection) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table'
               AND name IN ('rxseal_job', 'rxseal_chunk', 'rxseal_fault', 'rxseal_approval', 'rxseal_opening')";
    Ok(connection.query_row(sql, (), |row| row.get::<_, i64>(0))? == 5)
}

pub(super) fn has_job(connection: &Connection, job: &str) -> Result<bool, Trouble> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM rxseal_job WHERE job = ?1)", [job], |row| row.get(0))?)
}

/// What a new job begins with.
pub(super) struct NewJob<'j> {
    pub(super) name: &'j str,
    pub(super) spec: &'j Spec,
    pub(super) rows: u64,
    pub(super) plaintext: u64,
}

pub(super) fn insert_job(connection: &Connection, job: &NewJob<'_>) -> Result<(), Trouble> {
    let NewJob { name, spec, rows, plaintext } = job;
    let pinned = spec.pinned();
    connection.execute(
        "INSERT INTO rxseal_job (job, op, at, spec, spec_digest, generation, target, state, rows_total, plain_at_start, created)
         VALUES (:job, :op, :at, :spec, :digest, :generation, :target, 'running', :rows, :plaintext, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        named_params! {
            ":job": name, ":op": spec.operation().as_str(), ":at": spec.at(), ":spec": spec.to_json(), ":digest": pinned.digest,
            ":generation": number(pinned.generation), ":target": pinned.target.to_string(), ":rows": number(*rows),
            ":plaintext": number(*plaintext),
        },
    )?;
    Ok(())
}

/// The record type of a job, as its spec says it.
pub(super) fn record_type(connection: &Connection, job: &str) -> Result<String, Trouble> {
    let sql = "SELECT json_extract(spec, '$.record_type') FROM rxseal_job WHERE job = ?1";
    let found = connection.query_row(sql, [job], |row| row.get::<_, Option<String>>(0)).optional()?;
    Ok(found.ok_or_else(no_such_job)?.unwrap_or_default())
}

pub(super) fn insert_chunk(
    connection: &Connection,
    job: &str,
    no: u32,
    lo: Option<&str>,
    hi: Option<&str>,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO rxseal_chunk (job, no, lo, hi) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![job, no, lo, hi])?;
    Ok(())
}

/// What a job is doing, and what it was planned with.
pub(super) fn job(connection: &Connection, job: &str) -> Result<(State, Pinned), Trouble> {
    let sql = "SELECT state, spec_digest, generation, target FROM rxseal_job WHERE job = ?1";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, count(row, 2)?, row.get::<_, String>(3)?));
    let Some((state, digest, generation, target)) = connection.query_row(sql, [job], read).optional()? else {
        return Err(no_such_job().into());
    };
    let target: Option<KeyId> = target.parse().ok();
    let target = target.ok_or_else(|| refused("a row of rxseal_job was changed by hand: plan a new job"))?;
    Ok((state.parse()?, Pinned { digest, generation, target }))
}

/// Sets the state, if it is one of `from`. Says whether it was.
pub(super) fn turn(connection: &Connection, name: &str, from: &[State], to: State) -> Result<bool, Trouble> {
    if !from.contains(&job(connection, name)?.0) {
        return Ok(false);
    }
    connection.execute("UPDATE rxseal_job SET state = ?2 WHERE job = ?1", [name, to.as_str()])?;
    Ok(true)
}

pub(super) fn no_such_job() -> Error {
    refused("there is no job of this name in the database: plan it first")
}

/// The first chunk that is not done.
pub(super) fn next_chunk(connection: &Connection, job: &str, columns: usize) -> Result<Option<Chunk>, Trouble> {
    let sql = "SELECT no, lo, hi FROM rxseal_chunk WHERE job = ?1 AND state = 'todo' ORDER BY no LIMIT 1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?));
    let Some((no, lo, hi)) = connection.query_row(sql, [job], read).optional()? else { return Ok(None) };
    let bound = |text: Option<String>| text.map(|text| place::parse(&text, columns)).transpose();
    Ok(Some(Chunk { no, lower: bound(lo)?, upper: bound(hi)? }))
}

pub(super) fn is_left(connection: &Connection, job: &str, chunk: u32) -> Result<bool, Trouble> {
    let sql = "SELECT EXISTS (SELECT 1 FROM rxseal_chunk WHERE job = ?1 AND no = ?2 AND state = 'todo')";
    Ok(connection.query_row(sql, params![job, chunk], |row| row.get(0))?)
}

pub(super) fn finish_chunk(
    connection: &Connection,
    job: &str,
    chunk: u32,
    worker: &str,
    counts: &Counts,
) -> Result<(), Trouble> {
    let Counts { rows, written, skipped, retried, failed, sealed, unsealed } = *counts;
    connection.execute(
        "UPDATE rxseal_chunk SET state = 'done', worker = :worker, rows = :rows, written = :written, skipped = :skipped, retried = :retried,
             failed = :failed, sealed = :sealed, unsealed = :unsealed, at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
         WHERE job = :job AND no = :no",
        named_params! {
            ":job": job, ":no": chunk, ":worker": worker, ":rows": number(rows), ":written": number(written), ":skipped": number(skipped),
            ":retried": number(retried), ":failed": number(failed), ":sealed": number(sealed), ":unsealed": number(unsealed),
        },
    )?;
    Ok(())
}

pub(super) fn insert_fault(
    connection: &Connection,
    job: &str,
    chunk: u32,
    row_id: &str,
    fault: &FieldFault,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO rxseal_fault (job, chunk, row_id, field, reason) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![job, chunk, row_id, fault.field, fault.reason.as_str()])?;
    Ok(())
}

/// Faults behind the one with this number, each with its number.
pub(super) fn faults(connection: &Connection, job: &str, after: u64, limit: u32) -> Result<Vec<(u64, Fault)>, Trouble> {
    let sql =
        "SELECT id, chunk, row_id, field, reason FROM rxseal_fault WHERE job = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![job, number(after), limit])?;
    let mut faults = Vec::new();
    while let Some(row) = rows.next()? {
        let reason = Reason::parse(&row.get::<_, String>(4)?);
        let reason = reason.ok_or_else(|| refused("a fault has a reason that this release does not know"))?;
        let fault = FieldFault::new(row.get::<_, String>(3)?, reason);
        faults.push((count(row, 0)?, Fault::new(row.get(1)?, row.get(2)?, fault)));
    }
    Ok(faults)
}

/// Forgets the faults, and lets every chunk be done again by workers with a keyring of this generation or later. How much plaintext there is now
/// is counted by the next worker if it is not given.
pub(super) fn reopen(
    connection: &Connection,
    job: &str,
    plaintext: Option<u64>,
    generation: u64,
) -> Result<(), Trouble> {
    connection.execute("DELETE FROM rxseal_fault WHERE job = ?1", [job])?;
    connection.execute(
        "UPDATE rxseal_chunk SET state = 'todo', worker = NULL, rows = 0, written = 0, skipped = 0, retried = 0, failed = 0, sealed = 0,
             unsealed = 0, at = NULL WHERE job = ?1",
        [job],
    )?;
    connection.execute(
        "UPDATE rxseal_job SET state = 'running', plain_at_start = ?2, generation = max(generation, ?3) WHERE job = ?1",
        params![job, plaintext.map(number), number(generation)],
    )?;
    Ok(())
}

pub(super) fn jobs(connection: &Connection) -> Result<Vec<String>, Trouble> {
    let mut statement = connection.prepare("SELECT job FROM rxseal_job ORDER BY created, job")?;
    let names = statement.query_map((), |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn status(connection: &Connection, job: &str) -> Result<Status, Trouble> {
    let sql = "SELECT op, at, state, rows_total, created, (SELECT count(*) FROM rxseal_fault AS f WHERE f.job = j.job)
               FROM rxseal_job AS j WHERE job = ?1";
    let read = |row: &Row<'_>| {
        let texts: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(4)?];
        Ok((texts, count(row, 3)?, count(row, 5)?))
    };
    let found = connection.query_row(sql, [job], read).optional()?;
    let Some(([op, at, state, created], rows_total, faults)) = found else { return Err(no_such_job().into()) };
    let (chunks, chunks_done, counts) = progress(connection, job)?;
    Ok(Status {
        job: job.to_owned(),
        operation: op.parse()?,
        at,
        state: state.parse()?,
        rows_total,
        chunks,
        chunks_done,
        counts,
        faults,
        approvals: approval::all(connection, job)?,
        created,
    })
}

fn progress(connection: &Connection, job: &str) -> Result<(u32, u32, Counts), Trouble> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE state = 'done'), coalesce(sum(rows), 0), coalesce(sum(written), 0), coalesce(sum(skipped), 0), coalesce(sum(retried), 0), coalesce(sum(failed), 0),
                   coalesce(sum(sealed), 0), coalesce(sum(unsealed), 0) FROM rxseal_chunk WHERE job = ?1";
    Ok(connection.query_row(sql, [job], |row| {
        let counts = Counts {
            rows: count(row, 2)?,
            written: count(row, 3)?,
            skipped: count(row, 4)?,
            retried: count(row, 5)?,
            failed: count(row, 6)?,
            sealed: count(row, 7)?,
            unsealed: count(row, 8)?,
        };
        Ok((row.get(0)?, row.get(1)?, counts))
    })?)
}

/// How much plaintext there was when the job was planned. `None` if nobody counted it since the job was stopped and resumed.
pub(super) fn plaintext_at_start(connection: &Connection, job: &str) -> Result<Option<u64>, Trouble> {
    let sql = "SELECT plain_at_start FROM rxseal_job WHERE job = ?1";
    let plaintext: Option<i64> = connection.query_row(sql, [job], |row| row.get(0))?;
    Ok(plaintext.map(|plaintext| u64::try_from(plaintext).unwrap_or_default()))
}

/// How much plaintext there was, if nobody counted it yet.
pub(super) fn begin_from(connection: &Connection, job: &str, plaintext: u64) -> Result<(), Trouble> {
    let sql = "UPDATE rxseal_job SET plain_at_start = ?2 WHERE job = ?1 AND plain_at_start IS NULL";
    connection.execute(sql, params![job, number(plaintext)])?;
    Ok(())
}
