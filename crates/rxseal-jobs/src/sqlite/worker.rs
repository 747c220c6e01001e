//! One worker: a chunk is read and worked on, and then written in one short transaction.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params_from_iter};
use rxseal::{Error, run_local};
use rxseal_sqlite::__private::{open_to_write, wait_from_now};

use super::held::{Held, HeldRow};
use super::job::Job;
use super::place::shown;
use super::statements::{Bounds, Statements};
use super::table::Table;
use super::tables::{self, Chunk};
use super::trouble::Trouble;
use crate::fault::{FieldFault, Reason};
use crate::progress::{ChunkDone, Counts, State};
use crate::row::{Change, ChunkWork, Form, Outcome};
use crate::spec::{ColumnRole, Spec};

/// Works on the chunks of a job, one after the other. The loop is `while worker.run_chunk()?.is_some() {}`.
///
/// SQLite has one writer at a time, so a second worker makes nothing faster. It does no harm either: a chunk counts once.
pub struct Worker {
    path: PathBuf,
    connection: Connection,
    job: String,
    name: String,
    work: Arc<dyn ChunkWork>,
    statements: Statements,
    forms: Vec<Form>,
    ids: usize,
    /// Until when others have the lock to themselves.
    next_lock: Option<Instant>,
}

impl Worker {
    /// Joins a job, as a worker of this name.
    ///
    /// # Errors
    ///
    /// - `job-mismatch` if the spec is not the one that the job was planned with, or the keyring is older.
    /// - `job-refused` if there is no such job, or the table is no longer as it was.
    /// - `store-refused` if the file may not be written, or belongs to somebody else. `store-unavailable` if it is locked.
    pub fn join(job: &Job, spec: &Spec, work: Arc<dyn ChunkWork>, name: &str) -> Result<Self, Error> {
        let connection = open_to_write(job.path())?;
        let joined = (|| {
            // With a write-ahead log the file stays whole, and a chunk that a power cut takes away is done again.
            let mode: String = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0))?;
            if mode == "wal" {
                connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            }
            spec.admit(&tables::pinned(&connection, job.name())?)?;
            let table = Table::read(&connection, spec.table())?;
            let (statements, forms) = table.statements(&connection, spec.columns())?;
            Ok((statements, forms))
        })();
        let (statements, forms) = joined.map_err(|trouble: Trouble| trouble.at(job.path()))?;
        let ids = spec.columns().iter().filter(|column| column.role() == ColumnRole::Id).count();
        let (path, job, name) = (job.path().to_owned(), job.name().to_owned(), name.to_owned());
        Ok(Self { path, connection, job, name, work, statements, forms, ids, next_lock: None })
    }

    /// Works on the next chunk. `None` if none is left, or if the job was paused or has stopped.
    ///
    /// # Errors
    ///
    /// - `store-unavailable` if another program held the lock for 5 seconds, or the disk is full or failed. Nothing of the chunk was written, so
    ///   call it again.
    /// - `store-refused` if the database refuses the worker.
    /// - Those of [`ChunkWork::run`].
    pub fn run_chunk(&mut self) -> Result<Option<ChunkDone>, Error> {
        loop {
            match self.next_chunk().map_err(|trouble| trouble.at(&self.path))? {
                Step::Done(done) => {
                    // SQLite's lock has no queue: a program that waits for it asks every few milliseconds, and must find it free sometimes.
                    self.next_lock = Instant::now().checked_add(done.held.div_f32(2.0));
                    return Ok(Some(done));
                }
                Step::NothingLeft => return Ok(None),
                Step::SomebodyElse => {}
            }
        }
    }

    fn next_chunk(&self) -> Result<Step, Trouble> {
        let began = Instant::now();
        wait_from_now();
        let Some((chunk, rows)) = self.read_next()? else { return Ok(Step::NothingLeft) };
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
        if tables::state(&reading, &self.job)? != State::Running {
            return Ok(None);
        }
        let Some(chunk) = tables::next_chunk(&reading, &self.job, self.ids)? else { return Ok(None) };
        let rows = read_rows(&reading, &self.statements, self.forms.len(), &chunk)?;
        Ok(Some((chunk, rows)))
    }

    fn outcomes(&self, rows: &[HeldRow]) -> Result<Vec<Outcome>, Trouble> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = rows.iter().map(|row| row.row(&self.forms)).collect();
        let outcomes = run_local(self.work.run(&rows))?;
        if outcomes.len() != rows.len() {
            return Err(Trouble::refused("the work gave another number of outcomes than there are rows".to_owned()));
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
        let (ids, refused_before) = (self.ids, refused.len());
        let writing = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        if tables::state(&writing, &self.job)? != State::Running || !tables::is_left(&writing, &self.job, chunk.no)? {
            return Ok(Written::SomebodyElse);
        }
        let now = read_rows(&writing, &self.statements, self.forms.len(), chunk)?;
        let known: HashMap<_, _> =
            before.iter().zip(outcomes).map(|(row, outcome)| (row.exact(ids), (row, outcome))).collect();
        let unchanged = |row: &HeldRow| {
            known.get(&row.exact(ids)).filter(|(before, _)| *before == row).map(|(_, outcome)| *outcome)
        };
        let changed: Vec<_> = now.iter().filter(|row| unchanged(row).is_none()).cloned().collect();
        let mut again = self.outcomes(&changed)?.into_iter();
        let mut counts = Counts { rows: count(now.len()), retried: count(changed.len()), ..Counts::default() };
        let mut expected = Vec::new();
        for row in now {
            let outcome = match unchanged(&row) {
                Some(outcome) => outcome.clone(),
                None => again.next().unwrap_or(Outcome::Same),
            };
            let refused_for = match refused.get(&row.exact(ids)) {
                None if row.ids(ids).any(Held::is_null) => Some(Reason::IdMissing),
                reason => reason.copied(),
            };
            let outcome = match refused_for {
                Some(reason) => Outcome::Fault(vec![FieldFault::new("", reason)]),
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
        tables::finish_chunk(&writing, &self.job, chunk.no, &self.name, &counts)?;
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
                    refused.insert(row.exact(self.ids), reason);
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
        let id = shown(row.ids(self.ids));
        for fault in &faults {
            tables::insert_fault(writing, &self.job, chunk.no, &id, fault)?;
        }
        Ok(Some(row))
    }

    /// Writes the cells of one row, or says why the database does not.
    fn update(&self, writing: &Connection, row: HeldRow, change: &Change) -> Result<Result<HeldRow, Reason>, Trouble> {
        let places: Vec<_> = change.cells.iter().map(|(at, _)| *at).collect();
        let new: Vec<_> = change.cells.iter().map(|(_, cell)| Held::new(cell)).collect();
        let ids = self.statements.key_places().filter_map(|at| row.0.get(at));
        let mut statement = writing.prepare_cached(&self.statements.update(&places))?;
        match statement.execute(params_from_iter(new.iter().chain(ids))) {
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
        let stored = read_rows(writing, &self.statements, self.forms.len(), chunk)?;
        let stored: HashMap<_, _> = stored.iter().map(|row| (row.exact(self.ids), row)).collect();
        let mut is_same = true;
        for row in expected {
            let id = row.exact(self.ids);
            if stored.get(&id) != Some(&row) {
                is_same = false;
                refused.entry(id).or_insert(Reason::Rewritten);
            }
        }
        Ok(is_same)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("job", &self.job).field("name", &self.name).finish_non_exhaustive()
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

fn read_rows(
    connection: &Connection,
    statements: &Statements,
    cells: usize,
    chunk: &Chunk,
) -> Result<Vec<HeldRow>, Trouble> {
    let bounds = Bounds { lower: chunk.lower.is_some(), upper: chunk.upper.is_some() };
    let mut statement = connection.prepare_cached(&statements.rows(bounds))?;
    let values = chunk.lower.iter().flatten().chain(chunk.upper.iter().flatten());
    let rows = statement.query_map(params_from_iter(values), |row| HeldRow::read(row, cells))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
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
