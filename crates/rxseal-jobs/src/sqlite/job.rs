//! A job: planned once, looked at, paused, and counted at its end.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, TransactionBehavior, params_from_iter};
use rxseal::Error;
use rxseal_sqlite::__private::{open_to_read, open_to_write, wait_from_now};

use super::approval;
use super::end::{totals, verify};
use super::held::Held;
use super::place::exact;
use super::preflight::look;
use super::statements::Statements;
use super::table::Table;
use super::tables::{self, NewJob};
use super::trouble::Trouble;
use crate::end::{Proof, at_start, judge};
use crate::fault::Fault;
use crate::options::PlanOptions;
use crate::preflight::Target;
use crate::progress::{Ended, State, Status};
use crate::row::ChunkWork;
use crate::spec::Spec;
use crate::trouble::refused;
use crate::work::Approval;

/// A job over one table of an SQLite database. Its state is in tables of the same file, whose names begin with `rxseal_`.
#[derive(Clone)]
pub struct Job {
    path: PathBuf,
    name: String,
}

impl Job {
    /// The tables of jobs, which [`plan`](Self::plan) creates if they are missing.
    pub const SCHEMA: &'static str = tables::SCHEMA;

    /// Plans a job of this name: divides the table into chunks, and counts its plaintext. No row is changed.
    ///
    /// # Errors
    ///
    /// - `job-refused` if there is a job of this name, or the table cannot be worked on: it is a view, it has no key, or a column that is to be written is for
    ///   numbers or generated; or if a concern of [`preflight`](super::preflight()) is open.
    /// - `store-refused` if the file may not be written, or belongs to somebody else. `store-unavailable` if it is locked or the disk failed.
    pub fn plan(path: impl AsRef<Path>, name: &str, spec: &Spec, options: &PlanOptions) -> Result<Self, Error> {
        let job = Self { path: path.as_ref().to_owned(), name: name.to_owned() };
        let connection = open_to_write(job.path())?;
        let planned = plan(&connection, name, spec, options);
        planned.map_err(|trouble| trouble.at(job.path()))?;
        Ok(job)
    }

    /// A job that was planned.
    ///
    /// # Errors
    ///
    /// `job-refused` if there is no such job; otherwise those of [`plan`](Self::plan).
    pub fn open(path: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        let job = Self { path: path.as_ref().to_owned(), name: name.to_owned() };
        job.reading(|reading| tables::job(reading, name).map(drop))?;
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

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How far it is.
    ///
    /// # Errors
    ///
    /// `job-refused` if there is no such job any more; otherwise those of [`list`](Self::list).
    pub fn status(&self) -> Result<Status, Error> {
        self.reading(|reading| tables::status(reading, &self.name))
    }

    /// The type of the records that it works on: a table may have records of several.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub fn record_type(&self) -> Result<String, Error> {
        self.reading(|reading| tables::record_type(reading, &self.name))
    }

    /// Makes workers end after the chunk that each is at.
    ///
    /// # Errors
    ///
    /// `job-refused` if it does not run; otherwise those of [`plan`](Self::plan).
    pub fn pause(&self) -> Result<(), Error> {
        self.turn(&[State::Running, State::Paused], State::Paused, "only a job that runs can be paused")
    }

    /// Lets workers go on, after a pause, or after the job stopped and nobody writes plaintext any more. After a stop they go over the whole
    /// table again, as after [`reopen`](Self::reopen): the next worker counts how much plaintext there is now, and chunks that were done may have some.
    ///
    /// # Errors
    ///
    /// `job-refused` if it is done; otherwise those of [`plan`](Self::plan).
    pub fn resume(&self) -> Result<(), Error> {
        let resumed = self.writing(|writing| {
            if tables::turn(writing, &self.name, &[State::Stopped], State::Running)? {
                tables::reopen(writing, &self.name, None, 0)?;
                return Ok(true);
            }
            tables::turn(writing, &self.name, &[State::Running, State::Paused], State::Running)
        })?;
        resumed.then_some(()).ok_or_else(|| refused("the job is done: reopen it to go over the table again"))
    }

    /// Lets an unseal open as many values as were approved. The job keeps the approval and what is opened under it, so workers that begin later share
    /// it. The same approval is added once. For more values there must be another one, with a name of its own.
    ///
    /// # Errors
    ///
    /// `job-refused` if the job is no unseal, or has an approval of this name for another number of values; otherwise those of [`plan`](Self::plan).
    pub fn approve(&self, approval: &Approval) -> Result<(), Error> {
        self.writing(|writing| {
            let operation = tables::status(writing, &self.name)?.operation;
            approval::add(writing, &self.name, operation, approval)
        })
    }

    fn turn(&self, from: &[State], to: State, otherwise: &str) -> Result<(), Error> {
        let turned = self.writing(|writing| tables::turn(writing, &self.name, from, to))?;
        turned.then_some(()).ok_or_else(|| refused(otherwise))
    }

    /// Lets all chunks be done again, and forgets the faults: after they were mended, or if the count at the end found something. What is
    /// already as the job wants it is not written again.
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the spec is not the job's; otherwise those of [`plan`](Self::plan).
    pub fn reopen(&self, spec: &Spec) -> Result<(), Error> {
        let connection = open_to_write(&self.path)?;
        let reopen = || {
            has_tables(&connection)?;
            let count = |reading: &Connection| {
                spec.admit(&tables::job(reading, &self.name)?.1)?;
                let (statements, _) = Table::read(reading, spec.table())?.statements(reading, spec)?;
                Ok(totals(reading, &statements, spec)?.plaintext)
            };
            write_as_counted(&connection, count, |writing, plaintext| {
                tables::reopen(writing, &self.name, Some(plaintext), spec.generation())
            })
        };
        reopen().map_err(|trouble: Trouble| trouble.at(&self.path))
    }

    /// Faults behind the one with this number, at most `limit`, each with its number. Begin with 0.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub fn faults(&self, after: u64, limit: u32) -> Result<Vec<(u64, Fault)>, Error> {
        self.reading(|reading| tables::faults(reading, &self.name, after, limit))
    }

    /// Counts the whole table and says what is left. If nothing is, the job is [done](State::Done). If there is more plaintext than the job
    /// left, it [stops](State::Stopped).
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the spec is not the job's; otherwise those of [`plan`](Self::plan).
    pub fn finish(&self, spec: &Spec) -> Result<Ended, Error> {
        self.end(spec, Proof::by_count(spec.operation()))
    }

    /// The same, by the work of the job, for an operation whose end no count proves: [`AddSubject`](crate::Operation::AddSubject). The work
    /// looks at each row once more, and nothing is written. A row counts as done if the work would leave it as it is.
    ///
    /// # Errors
    ///
    /// Those of [`finish`](Self::finish) and of [`ChunkWork::run`].
    pub fn finish_with(&self, spec: &Spec, work: &dyn ChunkWork) -> Result<Ended, Error> {
        let proof = match Proof::by_count(spec.operation()) {
            Proof::Missing => self.reading(|reading| {
                spec.admit(&tables::job(reading, &self.name)?.1)?;
                let (statements, forms) = Table::read(reading, spec.table())?.statements(reading, spec)?;
                verify(reading, &statements, &forms, spec, work)
            })?,
            proof => proof,
        };
        self.end(spec, proof)
    }

    fn end(&self, spec: &Spec, proof: Proof) -> Result<Ended, Error> {
        let ended = self.look(spec, proof)?;
        if ended.is_clean() {
            let from = [State::Running, State::Paused, State::Stopped];
            self.writing(|writing| tables::turn(writing, &self.name, &from, State::Done))?;
        }
        Ok(ended)
    }

    /// Counts the whole table. The job stops if there is more plaintext than it left.
    pub(super) fn look(&self, spec: &Spec, proof: Proof) -> Result<Ended, Error> {
        let looked = self.reading(|reading| {
            spec.admit(&tables::job(reading, &self.name)?.1)?;
            let (statements, _) = Table::read(reading, spec.table())?.statements(reading, spec)?;
            let totals = totals(reading, &statements, spec)?;
            let status = tables::status(reading, &self.name)?;
            let known = tables::plaintext_at_start(reading, &self.name)?;
            // The job was stopped and resumed: what there is now counts as there from the start.
            let begins = known.unwrap_or_else(|| at_start(totals.plaintext, &status));
            Ok((judge(spec, totals, &status, begins, proof), known.is_none().then_some(begins)))
        })?;
        let (ended, begins) = looked;
        if let Some(begins) = begins {
            self.writing(|writing| tables::begin_from(writing, &self.name, begins))?;
        }
        if ended.plaintext_rose {
            let from = [State::Running, State::Paused];
            self.writing(|writing| tables::turn(writing, &self.name, &from, State::Stopped))?;
        }
        Ok(ended)
    }

    /// Whether nobody counted yet how much plaintext there is, since the job was stopped and resumed.
    pub(super) fn is_to_be_counted(&self) -> Result<bool, Error> {
        self.reading(|reading| {
            tables::job(reading, &self.name)?;
            Ok(tables::plaintext_at_start(reading, &self.name)?.is_none())
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Error> {
        read(&self.path, |reading| {
            has_tables(reading)?;
            work(reading)
        })
    }

    fn writing<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Error> {
        let connection = open_to_write(&self.path)?;
        let write = || {
            let writing = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
            has_tables(&writing)?;
            let written = work(&writing)?;
            writing.commit()?;
            Ok(written)
        };
        write().map_err(|trouble: Trouble| trouble.at(&self.path))
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("path", &self.path).field("name", &self.name).finish()
    }
}

fn plan(connection: &Connection, name: &str, spec: &Spec, options: &PlanOptions) -> Result<(), Trouble> {
    look(connection, &Target::of(spec, &options.named))?.admit(&options.accepted)?;
    // Reading a large table takes a while, in which others may write.
    let reading = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
    if tables::exist(&reading)? && tables::has_job(&reading, name)? {
        return Err(refused("there is a job of this name already: give this one another name").into());
    }
    let (statements, _) = Table::read(&reading, spec.table())?.statements(&reading, spec)?;
    let (rows, bounds) = bounds(&reading, &statements, spec, options.chunk_rows)?;
    let plaintext = totals(&reading, &statements, spec)?.plaintext;
    drop(reading);

    wait_from_now();
    let writing = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    writing.execute_batch(tables::SCHEMA)?;
    tables::insert_job(&writing, &NewJob { name, spec, rows, plaintext })?;
    let starts = std::iter::once(None).chain(bounds.iter().map(Some));
    let ends = bounds.iter().map(Some).chain(std::iter::once(None));
    for (no, (lo, hi)) in (0..).zip(starts.zip(ends)) {
        tables::insert_chunk(&writing, name, no, lo.map(String::as_str), hi.map(String::as_str))?;
    }
    Ok(writing.commit()?)
}

/// How often a table is counted while others may write to it.
const COUNTS: usize = 3;

/// Writes what depends on a count of the table, if nobody has written since. A large table takes a while to count, so the lock is taken
/// before only if others wrote each time.
fn write_as_counted(
    connection: &Connection,
    mut count: impl FnMut(&Connection) -> Result<u64, Trouble>,
    write: impl FnOnce(&Connection, u64) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let version = |at: &Connection| at.query_row("PRAGMA data_version", (), |row| row.get::<_, i64>(0));
    let lock = || {
        wait_from_now();
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
    };
    for _ in 0..COUNTS {
        let reading = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
        let (counted, then) = (count(&reading)?, version(&reading)?);
        drop(reading);
        let writing = lock()?;
        if version(&writing)? == then {
            write(&writing, counted)?;
            return Ok(writing.commit()?);
        }
    }
    let writing = lock()?;
    let counted = count(&writing)?;
    write(&writing, counted)?;
    Ok(writing.commit()?)
}

/// How many rows there are, and the first key of every chunk but the first. They are read from the keys themselves, so gaps do no harm.
fn bounds(
    reading: &Connection,
    statements: &Statements,
    spec: &Spec,
    chunk_rows: u32,
) -> Result<(u64, Vec<String>), Trouble> {
    let columns = statements.key_len();
    let (mut total, mut since, mut bounds) = (0_u64, 0_u32, Vec::new());
    let mut statement = reading.prepare(&statements.keys())?;
    let mut rows = statement.query(params_from_iter(spec.keyspace_filter().map(|(_, keyspace)| keyspace)))?;
    while let Some(row) = rows.next()? {
        total = total.saturating_add(1);
        let cells = (0..columns).map(|at| row.get_ref(at)).collect::<rusqlite::Result<Vec<_>>>()?;
        // A row without a whole key is in the first chunk, wherever the order has it.
        if since >= chunk_rows.max(1) && !cells.contains(&ValueRef::Null) {
            let cells: Vec<_> = cells.into_iter().map(Held::of).collect();
            bounds.push(exact(&cells));
            since = 0;
        }
        since = since.saturating_add(1);
    }
    Ok((total, bounds))
}

/// Reads at one moment.
fn read<T>(path: &Path, work: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Error> {
    let connection = open_to_read(path)?;
    let read = || {
        let reading = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred)?;
        work(&reading)
    };
    read().map_err(|trouble: Trouble| trouble.at(path))
}

fn has_tables(connection: &Connection) -> Result<(), Trouble> {
    if tables::exist(connection)? { Ok(()) } else { Err(tables::no_such_job().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a job that is reopened compares its end with is the count of the moment at which it begins anew.
    #[test]
    fn nobody_writes_between_a_count_and_what_depends_on_it() {
        let path = std::env::temp_dir().join(format!("rxseal-counted-{}.db", std::process::id()));
        for journal in ["delete", "wal"] {
            // A program that writes after the count, this often.
            for writes in [0, 1, 2, 3, 9] {
                drop(std::fs::remove_file(&path));
                let [ours, theirs] = [0, 1].map(|_| Connection::open(&path).unwrap());
                ours.pragma_update(None, "journal_mode", journal).unwrap();
                theirs.busy_timeout(std::time::Duration::ZERO).unwrap();
                ours.execute_batch("CREATE TABLE rx (drug); CREATE TABLE counted (rows)").unwrap();
                let (ours, mut left) = (open_to_write(&path).unwrap(), writes);
                let count = |at: &Connection| -> Result<u64, Trouble> {
                    let rows: i64 = at.query_row("SELECT count(*) FROM rx", (), |row| row.get(0))?;
                    if left > 0 {
                        left -= 1;
                        // With the lock held it cannot, and neither can it in a rollback journal while somebody reads.
                        drop(theirs.execute("INSERT INTO rx VALUES ('plaintext')", ()));
                    }
                    Ok(u64::try_from(rows).unwrap_or_default())
                };
                let write = |at: &Connection, rows: u64| -> Result<(), Trouble> {
                    at.execute("INSERT INTO counted VALUES (?1)", [i64::try_from(rows).unwrap_or_default()])?;
                    Ok(())
                };
                write_as_counted(&ours, count, write).unwrap_or_else(|trouble| panic!("{}", trouble.at(&path)));
                let sql = "SELECT (SELECT rows FROM counted) = (SELECT count(*) FROM rx)";
                let is_same: bool = ours.query_row(sql, (), |row| row.get(0)).unwrap();
                assert!(is_same, "{journal}: {writes} writes");
            }
        }
        drop(std::fs::remove_file(&path));
    }
}
