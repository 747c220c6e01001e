//! One worker: a chunk is read and worked on, and then written in one short transaction.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params_from_iter};
use rxseal::{Error, run_local};
use rxseal_sqlite::__private::{open_to_write, wait_from_now};

use super::approval::Purse;
use super::held::Held;
use super::held_row::HeldRow;
use super::job::Job;
use super::statements::{Bounds, Statements};
use super::table::Table;
use super::tables::{self, Chunk};
use super::trouble::Trouble;
use crate::end::Proof;
use crate::fault::{FieldFault, Reason};
use crate::options::WorkerOptions;
use crate::progress::{ChunkDone, Counts, State};
use crate::row::{Change, ChunkWork, Form, Outcome};
use crate::spec::{Column, Operation, Spec};
use crate::throttle::Throttle;
use crate::trouble::refused;

/// Works on the chunks of a job, one after the other. The loop is `while worker.run_chunk()?.is_some() {}`.
///
/// SQLite has one writer at a time, so a second worker makes nothing faster. It does no harm either: a chunk counts once.
pub struct Worker {
    job: Job,
    spec: Spec,
    work: Arc<dyn ChunkWork>,
    options: WorkerOptions,
    connection: Connection,
    statements: Statements,
    forms: Vec<Form>,
    purse: Option<Purse>,
    throttle: Throttle,
    not_before: Option<Instant>,
    /// Until when others have the lock to themselves.
    next_lock: Option<Instant>,
    looked: Instant,
}

/// How often a chunk is begun anew because another program held the lock for 5 seconds.
const ATTEMPTS: u32 = 5;
/// A long wait is cut into these, so that a job that was paused meanwhile ends soon.
const NAP: Duration = Duration::from_secs(5);
/// The minute of the day by this machine's clock and time zone.
const MINUTE: &str = "SELECT strftime('%H', 'now', 'localtime') * 60 + strftime('%M', 'now', 'localtime')";

impl Worker {
    /// Joins a job.
    ///
    /// # Errors
    ///
    /// - `job-mismatch` if the spec is not the one that the job was planned with, or the keyring is older.
    /// - `job-refused` if there is no such job, the table is no longer as it was, or it is an unseal without an approval.
    /// - `store-refused` if the file may not be written, or belongs to somebody else. `store-unavailable` if it is locked.
    pub fn join(job: &Job, spec: &Spec, work: Arc<dyn ChunkWork>, options: WorkerOptions) -> Result<Self, Error> {
        let connection = open_to_write(job.path())?;
        if job.is_to_be_counted()? {
            job.look(spec, Proof::by_count(spec.operation()))?;
        }
        let joined = join(&connection, job.name(), spec, &*work, options.approval.as_deref());
        let (statements, forms, purse) = joined.map_err(|trouble| trouble.at(job.path()))?;
        let (job, spec, throttle) = (job.clone(), spec.clone(), Throttle::new(&options.limits));
        let (not_before, next_lock, looked) = (None, None, Instant::now());
        Ok(Self {
            job,
            spec,
            work,
            options,
            connection,
            statements,
            forms,
            purse,
            throttle,
            not_before,
            next_lock,
            looked,
        })
    }

    /// Works on the next chunk. `None` if none is left, or if somebody paused the job. It waits for no [`pause`](Self::pause).
    ///
    /// If another program holds the lock for 5 seconds, it begins anew, up to 5 times.
    ///
    /// # Errors
    ///
    /// - `job-stopped` if there is more plaintext than the job left. `job-mismatch` if the job was planned anew.
    /// - `job-refused` if a trigger changes other rows than the one that was written.
    /// - `store-unavailable` if another program holds the lock, or the disk is full or failed. Nothing of the chunk was written, so call it
    ///   again later.
    /// - `store-refused` if the database refuses the worker.
    /// - Those of [`ChunkWork::run`].
    pub fn run_chunk(&mut self) -> Result<Option<ChunkDone>, Error> {
        if self.looked.elapsed() >= self.options.look_every {
            // Plaintext that became more is found while the job runs, and not at its end alone.
            self.job.look(&self.spec, Proof::by_count(self.spec.operation()))?;
            self.looked = Instant::now();
        }
        let mut attempt = 1;
        loop {
            match self.next_chunk() {
                Ok(Step::Done(done)) => {
                    // SQLite's lock has no queue: a program that waits for it asks every few milliseconds, and must find it free sometimes.
                    self.next_lock = Instant::now().checked_add(done.held.div_f32(2.0));
                    let pause = self.throttle.after_chunk(done.counts.rows, done.took);
                    self.not_before = Instant::now().checked_add(pause);
                    return Ok(Some(done));
                }
                Ok(Step::NothingLeft) => return Ok(None),
                Ok(Step::SomebodyElse) => {}
                Err(trouble) if trouble.is_busy() && attempt < ATTEMPTS => attempt = attempt.saturating_add(1),
                Err(trouble) => return Err(trouble.at(self.job.path())),
            }
        }
    }

    /// How long to wait before the next chunk: for the rate, for the hours, or because the last chunk was slow.
    ///
    /// # Errors
    ///
    /// `store-refused` if SQLite does not tell the time.
    pub fn pause(&mut self) -> Result<Duration, Error> {
        let rest = self.not_before.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        let Some(hours) = self.options.limits.between.filter(|_| rest.is_zero()) else { return Ok(rest) };
        let minute = self.connection.query_row(MINUTE, (), |row| row.get(0));
        Ok(hours.wait(minute.map_err(|error| Trouble::from(error).at(self.job.path()))?))
    }

    /// Works until no chunk is left or somebody pauses the job, holds itself to its limits, and calls `after` for each chunk, which says
    /// whether to go on.
    ///
    /// # Errors
    ///
    /// Those of [`run_chunk`](Self::run_chunk) and [`pause`](Self::pause).
    pub fn run(&mut self, mut after: impl FnMut(&ChunkDone) -> bool) -> Result<(), Error> {
        loop {
            let pause = self.pause()?;
            if !pause.is_zero() {
                thread::sleep(pause.min(NAP));
                if pause > NAP && self.job.status()?.state != State::Running {
                    return Ok(());
                }
                continue;
            }
            match self.run_chunk()? {
                Some(done) if after(&done) => {}
                _ => return Ok(()),
            }
        }
    }

    fn next_chunk(&self) -> Result<Step, Trouble> {
        let began = Instant::now();
        wait_from_now();
        let Some((chunk, rows)) = self.read_next()? else { return Ok(Step::NothingLeft) };
        if let Some(purse) = &self.purse {
            purse.begin(chunk.no);
        }
        let outcomes = self.outcomes(&rows)?;
        if let Some(wait) = self.next_lock.and_then(|at| at.checked_duration_since(Instant::now())) {
            thread::sleep(wait);
        }
        let mut refused = HashMap::new();
        loop {
            wait_from_now();
            let locked = Instant::now();
            match self.write(&chunk, &rows, &outcomes, &mut refused)? {
                Written::Committed(counts) => {
                    let (took, held) = (began.elapsed(), locked.elapsed());
                    return Ok(Step::Done(ChunkDone { no: chunk.no, counts, took, held }));
                }
                Written::SomebodyElse => return Ok(Step::SomebodyElse),
                // Without the row that was refused.
                Written::RolledBack => {}
            }
        }
    }

    /// A chunk and its rows, as they are at one moment. Nobody is kept from writing.
    fn read_next(&self) -> Result<Option<(Chunk, Vec<HeldRow>)>, Trouble> {
        let reading = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        if !self.is_running(&reading)? {
            return Ok(None);
        }
        let Some(chunk) = tables::next_chunk(&reading, self.job.name(), self.statements.key_len())? else {
            return Ok(None);
        };
        let rows = self.read_rows(&reading, &chunk)?;
        Ok(Some((chunk, rows)))
    }

    /// Each time, since somebody may have paused the job, or planned another one of this name.
    fn is_running(&self, connection: &Connection) -> Result<bool, Trouble> {
        let (state, pinned) = tables::job(connection, self.job.name())?;
        self.spec.admit(&pinned)?;
        if state == State::Stopped { Err(Error::job_stopped().into()) } else { Ok(state == State::Running) }
    }

    fn outcomes(&self, rows: &[HeldRow]) -> Result<Vec<Outcome>, Trouble> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = rows.iter().map(|row| row.row(&self.forms)).collect();
        if let Some(purse) = &self.purse {
            purse.charge(&self.connection, self.work.opens(&rows))?;
        }
        let outcomes = run_local(self.work.run(&rows))?;
        if outcomes.len() != rows.len() {
            return Err(refused("the work did not give one outcome for each row").into());
        }
        Ok(outcomes)
    }

    /// Writes a chunk that was worked on. What was changed since is worked on again, with the lock held, so nothing changes a second time.
    fn write(
        &self,
        chunk: &Chunk,
        before: &[HeldRow],
        outcomes: &[Outcome],
        refused: &mut HashMap<String, Reason>,
    ) -> Result<Written, Trouble> {
        let refused_before = refused.len();
        let writing = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        if !self.is_running(&writing)? || !tables::is_left(&writing, self.job.name(), chunk.no)? {
            return Ok(Written::SomebodyElse);
        }
        let now = self.read_rows(&writing, chunk)?;
        let known: HashMap<_, _> =
            before.iter().zip(outcomes).map(|(row, outcome)| (row.exact(), (row, outcome))).collect();
        let unchanged = |row: &HeldRow, id: &String| {
            known.get(id).filter(|(before, _)| *before == row).map(|(_, outcome)| *outcome)
        };
        // The lock is held, so each key is made a text once.
        let ids: Vec<_> = now.iter().map(HeldRow::exact).collect();
        let judged: Vec<_> = now.iter().zip(&ids).map(|(row, id)| unchanged(row, id)).collect();
        let changed = now.iter().zip(&judged).filter(|(_, outcome)| outcome.is_none());
        let changed: Vec<_> = changed.map(|(row, _)| row.clone()).collect();
        let mut again = self.outcomes(&changed)?.into_iter();
        let mut counts = Counts { rows: count(now.len()), retried: count(changed.len()), ..Counts::default() };
        let mut expected = Vec::new();
        for ((row, id), outcome) in now.into_iter().zip(&ids).zip(judged) {
            let outcome = match outcome {
                Some(outcome) => outcome.clone(),
                None => again.next().unwrap_or(Outcome::Same),
            };
            let outcome = match refused.get(id) {
                Some(reason) => Outcome::Fault(vec![FieldFault::new("", *reason)]),
                None => outcome,
            };
            match self.apply(&writing, chunk, row, outcome, &mut counts, refused)? {
                Some(row) => expected.push(row),
                None => return Ok(Written::RolledBack),
            }
        }
        if !self.reads_back(&writing, chunk, &expected, refused)? {
            if refused.len() == refused_before {
                let text = "a trigger changes other rows than the one that was written, so no row can be written safely: see the triggers of the table";
                return Err(Trouble::refused(text.to_owned()));
            }
            return Ok(Written::RolledBack);
        }
        if let Some(purse) = &self.purse {
            purse.settle(&writing)?;
        }
        tables::finish_chunk(&writing, self.job.name(), chunk.no, &self.options.name, &counts)?;
        writing.commit()?;
        Ok(Written::Committed(counts))
    }

    /// Does what was found of a row, and returns what the row is afterwards. `None` if the table rolled the whole chunk back.
    fn apply(
        &self,
        writing: &Connection,
        chunk: &Chunk,
        row: HeldRow,
        outcome: Outcome,
        counts: &mut Counts,
        refused: &mut HashMap<String, Reason>,
    ) -> Result<Option<HeldRow>, Trouble> {
        let faults = match outcome {
            Outcome::Same => {
                counts.skipped = counts.skipped.saturating_add(1);
                return Ok(Some(row));
            }
            Outcome::Write(change) => match self.update(writing, row.clone(), &change)? {
                Ok(written) => {
                    counts.written = counts.written.saturating_add(1);
                    counts.sealed = counts.sealed.saturating_add(change.sealed);
                    counts.unsealed = counts.unsealed.saturating_add(change.unsealed);
                    return Ok(Some(written));
                }
                Err(reason) => {
                    refused.insert(row.exact(), reason);
                    // Some constraints and triggers end the transaction.
                    if writing.is_autocommit() {
                        return Ok(None);
                    }
                    vec![FieldFault::new("", reason)]
                }
            },
            Outcome::Fault(faults) => faults,
        };
        counts.failed = counts.failed.saturating_add(1);
        let id = row.shown();
        for fault in &faults {
            tables::insert_fault(writing, self.job.name(), chunk.no, &id, fault)?;
        }
        Ok(Some(row))
    }

    /// Writes the cells of one row, or says why the database does not.
    fn update(&self, writing: &Connection, row: HeldRow, change: &Change) -> Result<Result<HeldRow, Reason>, Trouble> {
        let places: Vec<_> = change.cells.iter().map(|(at, _)| *at).collect();
        let new: Vec<_> = change.cells.iter().map(|(_, cell)| Held::new(cell)).collect();
        let names = places.iter().filter_map(|at| self.spec.columns().get(*at)).map(Column::name).collect::<Vec<_>>();
        let mut statement = writing.prepare_cached(&self.statements.update(&names))?;
        match statement.execute(params_from_iter(new.iter().chain(&row.row_id))) {
            Ok(1) => Ok(Ok(row.with(&places, new))),
            // A trigger of another row's update took this one away, or changed its id.
            Ok(_) => Ok(Err(Reason::Rewritten)),
            Err(error) if is_about_the_row(&error) => Ok(Err(Reason::RefusedByDatabase)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the rows are as they were written. A trigger that stored something else is a fault of its row.
    fn reads_back(
        &self,
        writing: &Connection,
        chunk: &Chunk,
        expected: &[HeldRow],
        refused: &mut HashMap<String, Reason>,
    ) -> Result<bool, Trouble> {
        let stored = self.read_rows(writing, chunk)?;
        let stored: HashMap<_, _> = stored.iter().map(|row| (row.exact(), row)).collect();
        let mut is_same = true;
        for row in expected {
            let id = row.exact();
            if stored.get(&id) != Some(&row) {
                is_same = false;
                refused.entry(id).or_insert(Reason::Rewritten);
            }
        }
        Ok(is_same)
    }

    fn read_rows(&self, connection: &Connection, chunk: &Chunk) -> Result<Vec<HeldRow>, Trouble> {
        let bounds = Bounds { lower: chunk.lower.is_some(), upper: chunk.upper.is_some() };
        let keyspace = self.spec.keyspace_filter().map(|(_, keyspace)| Held::text(keyspace));
        let values = chunk.lower.iter().flatten().chain(chunk.upper.iter().flatten()).chain(&keyspace);
        let (row_id, key) = (self.statements.row_id_len(), self.statements.key_len());
        let mut statement = connection.prepare_cached(&self.statements.rows(bounds))?;
        let rows =
            statement.query_map(params_from_iter(values), |row| HeldRow::read(row, row_id, key, self.forms.len()))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("job", &self.job).field("options", &self.options).finish_non_exhaustive()
    }
}

enum Step {
    Done(ChunkDone),
    /// No chunk is left, or the job does not run.
    NothingLeft,
    /// Another process did the chunk.
    SomebodyElse,
}

enum Written {
    Committed(Counts),
    SomebodyElse,
    /// A row was refused: once more, without it.
    RolledBack,
}

fn join(
    connection: &Connection,
    name: &str,
    spec: &Spec,
    work: &dyn ChunkWork,
    approval: Option<&str>,
) -> Result<(Statements, Vec<Form>, Option<Purse>), Trouble> {
    if !tables::exist(connection)? {
        return Err(tables::no_such_job().into());
    }
    spec.admit(&tables::job(connection, name)?.1)?;
    if work.columns() != spec.columns() {
        return Err(Error::job_mismatch("the work is of other columns than the spec").into());
    }
    // With a write-ahead log the file stays whole, and a chunk that a power cut takes away is done again.
    let mode: String = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0))?;
    if mode == "wal" {
        connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    }
    let purse = match spec.operation() {
        Operation::Unseal => Some(Purse::of(connection, name, approval)?),
        _ => None,
    };
    let (statements, forms) = Table::read(connection, spec.table())?.statements(connection, spec)?;
    Ok((statements, forms, purse))
}

/// Whether the database refuses this row, and not the whole work: a constraint, or a trigger that raises an error.
fn is_about_the_row(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    )
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
