//! A job: planned once, looked at, paused, and counted at its end.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use rxseal::Error;
use rxseal_sqlite::__private::{open_to_read, open_to_write, wait_from_now};

use super::end::totals;
use super::held::Held;
use super::place::exact;
use super::statements::Statements;
use super::table::Table;
use super::tables::{self, NewJob};
use super::trouble::Trouble;
use crate::end::judge;
use crate::fault::Fault;
use crate::progress::{Ended, State, Status};
use crate::spec::Spec;

/// A job over one table of an SQLite database. Its state is in tables of the same file: `rxseal_job`, `rxseal_chunk` and `rxseal_fault`.
#[derive(Clone)]
pub struct Job {
    path: PathBuf,
    name: String,
}

impl Job {
    /// The tables of jobs, which [`plan`](Self::plan) creates.
    pub const SCHEMA: &'static str = tables::SCHEMA;

    /// Plans a job of this name: divides the table into chunks of so many rows, and counts its plaintext. No row is changed.
    ///
    /// # Errors
    ///
    /// - `job-refused` if there is a job of this name, or the table cannot be worked on: it is a view, its ids do not tell its rows apart, or a
    ///   column that is to be written is for numbers or generated.
    /// - `store-refused` if the file may not be written, or belongs to somebody else. `store-unavailable` if it is locked or the disk failed.
    pub fn plan(path: impl AsRef<Path>, name: &str, spec: &Spec, chunk_rows: u32) -> Result<Self, Error> {
        let job = Self { path: path.as_ref().to_owned(), name: name.to_owned() };
        let connection = open_to_write(job.path())?;
        job.store(&connection, spec, chunk_rows).map_err(|trouble| trouble.at(job.path()))?;
        Ok(job)
    }

    fn store(&self, connection: &Connection, spec: &Spec, chunk_rows: u32) -> Result<(), Trouble> {
        // Reading a large table takes a while, in which others may write.
        let reading = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
        if tables::exist(&reading)? && tables::has_job(&reading, &self.name)? {
            return Err(Trouble::refused(format!("there is a job {} already: give this one another name", self.name)));
        }
        let (statements, _) = Table::read(&reading, spec.table())?.statements(&reading, spec.columns())?;
        let (rows, bounds) = bounds(&reading, &statements, chunk_rows)?;
        let plaintext = totals(&reading, &statements, spec)?.plaintext;
        drop(reading);

        wait_from_now();
        let writing = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        writing.execute_batch(tables::SCHEMA)?;
        tables::insert_job(&writing, &NewJob { name: &self.name, spec, rows, plaintext })?;
        let starts = std::iter::once(None).chain(bounds.iter().map(Some));
        let ends = bounds.iter().map(Some).chain(std::iter::once(None));
        for (no, (lo, hi)) in (0..).zip(starts.zip(ends)) {
            tables::insert_chunk(&writing, &self.name, no, lo.map(String::as_str), hi.map(String::as_str))?;
        }
        Ok(writing.commit()?)
    }

    /// A job that was planned.
    ///
    /// # Errors
    ///
    /// `job-refused` if there is no such job; otherwise those of [`plan`](Self::plan).
    pub fn open(path: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        let job = Self { path: path.as_ref().to_owned(), name: name.to_owned() };
        job.reading(|reading| tables::state(reading, &job.name))?;
        Ok(job)
    }

    /// All jobs of a database, the oldest first.
    ///
    /// # Errors
    ///
    /// `store-refused` and `store-unavailable` if the file cannot be read.
    pub fn list(path: impl AsRef<Path>) -> Result<Vec<Status>, Error> {
        read(path.as_ref(), |reading| {
            if !tables::exist(reading)? {
                return Ok(Vec::new());
            }
            tables::jobs(reading)?.iter().map(|job| tables::status(reading, job)).collect()
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far it is.
    ///
    /// # Errors
    ///
    /// `job-refused` if there is no such job any more; `store-refused` and `store-unavailable`.
    pub fn status(&self) -> Result<Status, Error> {
        self.reading(|reading| tables::status(reading, &self.name))
    }

    /// Faults, from the `after`th on, at most `limit`.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub fn faults(&self, after: u64, limit: u32) -> Result<Vec<Fault>, Error> {
        self.reading(|reading| tables::faults(reading, &self.name, after, limit))
    }

    /// Lets workers end after their chunk. Says whether the job was running.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub fn pause(&self) -> Result<bool, Error> {
        self.writing(|writing| tables::set_state(writing, &self.name, &[State::Running], State::Paused))
    }

    /// Lets workers work again. Says whether the job was paused or had stopped.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub fn resume(&self) -> Result<bool, Error> {
        self.writing(|writing| tables::set_state(writing, &self.name, &[State::Paused, State::Stopped], State::Running))
    }

    /// Forgets its faults and opens every chunk again, after the rows were mended. Rows that are done are not written again.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub fn reopen(&self) -> Result<(), Error> {
        self.writing(|writing| tables::reopen(writing, &self.name))
    }

    /// Counts the whole table. The job is done if nothing is left, and stops if there is more plaintext than it left.
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the spec is not the one that the job was planned with; otherwise those of [`status`](Self::status).
    pub fn finish(&self, spec: &Spec) -> Result<Ended, Error> {
        let ended = self.reading(|reading| {
            spec.admit(&tables::pinned(reading, &self.name)?)?;
            let (statements, _) = Table::read(reading, spec.table())?.statements(reading, spec.columns())?;
            let totals = totals(reading, &statements, spec)?;
            let status = tables::status(reading, &self.name)?;
            Ok(judge(spec, totals, &status, tables::plaintext_at_start(reading, &self.name)?))
        })?;
        let all = [State::Running, State::Paused, State::Stopped, State::Done];
        let state = if ended.plaintext_rose { State::Stopped } else { State::Done };
        if ended.plaintext_rose || ended.is_clean() {
            self.writing(|writing| tables::set_state(writing, &self.name, &all, state))?;
        }
        Ok(ended)
    }

    fn reading<T>(&self, read_from: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Error> {
        read(&self.path, |reading| {
            if !tables::exist(reading)? {
                return Err(tables::missing(&self.name));
            }
            read_from(reading)
        })
    }

    fn writing<T>(&self, write: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Error> {
        let connection = open_to_write(&self.path)?;
        let write = || {
            if !tables::exist(&connection)? {
                return Err(tables::missing(&self.name));
            }
            let writing = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
            tables::state(&writing, &self.name)?;
            let written = write(&writing)?;
            writing.commit()?;
            Ok(written)
        };
        write().map_err(|trouble| trouble.at(&self.path))
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("path", &self.path).field("name", &self.name).finish()
    }
}

/// Reads at one moment.
fn read<T>(path: &Path, read_from: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Error> {
    let connection = open_to_read(path)?;
    let read = || {
        let reading = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred)?;
        read_from(&reading)
    };
    read().map_err(|trouble: Trouble| trouble.at(path))
}

/// How many rows there are, and the first id of every chunk but the first. They are read from the ids themselves, so gaps do no harm.
fn bounds(reading: &Connection, statements: &Statements, chunk_rows: u32) -> Result<(u64, Vec<String>), Trouble> {
    let ids = statements.key_places().count();
    let (mut total, mut since, mut bounds) = (0_u64, 0_u32, Vec::new());
    let mut statement = reading.prepare(&statements.ids())?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        total = total.saturating_add(1);
        let cells = (0..ids).map(|at| row.get_ref(at)).collect::<rusqlite::Result<Vec<_>>>()?;
        // A row without a whole id is in the first chunk, wherever the order has it.
        let begins = since >= chunk_rows && !cells.contains(&ValueRef::Null);
        if begins {
            let cells: Vec<_> = cells.into_iter().map(Held::of).collect();
            bounds.push(exact(cells.iter()));
            since = 0;
        }
        since = since.saturating_add(1);
    }
    Ok((total, bounds))
}
