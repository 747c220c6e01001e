//! A job: planned once, looked at, paused, and counted at its end.

use std::fmt;

use rxseal::Error;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::approval;
use super::count::totals;
use super::preflight;
use super::reading::{Ask, Range, cells, read_part};
use super::session::{self, Begin};
use super::table::Table;
use super::tables;
use super::trouble::Trouble;
use crate::end::{Proof, at_start, judge, unfinished};
use crate::fault::Fault;
use crate::options::PlanOptions;
use crate::preflight::Target;
use crate::progress::{Ended, State, Status};
use crate::row::ChunkWork;
use crate::spec::Spec;
use crate::trouble::refused;
use crate::work::Approval;

/// A job over one table of a PostgreSQL database. Its state is in tables beside the data, whose names begin with `rxseal_`.
#[derive(Clone)]
pub struct Job {
    url: String,
    name: String,
}

impl Job {
    /// The tables of jobs, which [`plan`](Self::plan) creates if they are missing and the role may create tables.
    pub const SCHEMA: &'static str = tables::SCHEMA;

    /// Plans a job of this name: divides the table into chunks, and counts its plaintext. No row is changed.
    ///
    /// # Errors
    ///
    /// - `job-refused` if there is a job of this name, or [`preflight`](super::preflight()) found what refuses or asks, and it was not accepted.
    /// - `store-refused` if the URL is not valid, or the role lacks a right. `store-unavailable` if the server cannot be reached.
    /// - `runtime-needed` outside of a tokio runtime.
    pub async fn plan(url: &str, name: &str, spec: &Spec, options: &PlanOptions) -> Result<Self, Error> {
        let job = Self { url: url.to_owned(), name: name.to_owned() };
        job.on_connection(async |db| plan(db, name, spec, options).await).await?;
        Ok(job)
    }

    /// A job that was planned.
    ///
    /// # Errors
    ///
    /// `job-refused` if there is no such job; otherwise those of [`plan`](Self::plan).
    pub async fn open(url: &str, name: &str) -> Result<Self, Error> {
        let job = Self { url: url.to_owned(), name: name.to_owned() };
        job.reading(async |db| {
            has_tables(db).await?.then_some(()).ok_or_else(tables::no_such_job)?;
            tables::job(db, name).await.map(drop)
        })
        .await?;
        Ok(job)
    }

    /// All jobs of a database, the oldest first.
    ///
    /// # Errors
    ///
    /// Those of [`plan`](Self::plan).
    pub async fn list(url: &str) -> Result<Vec<Status>, Error> {
        let database = Self { url: url.to_owned(), name: String::new() };
        database
            .reading(async |db| {
                if !has_tables(db).await? {
                    return Ok(Vec::new());
                }
                Ok(tables::statuses(db, None).await?.into_iter().map(|(status, _)| status).collect())
            })
            .await
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How far it is.
    ///
    /// # Errors
    ///
    /// `job-refused` if there is no such job any more; otherwise those of [`plan`](Self::plan).
    pub async fn status(&self) -> Result<Status, Error> {
        self.reading(async |db| Ok(status(db, &self.name).await?.0)).await
    }

    /// The type of the records that it works on: a table may have records of several.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub async fn record_type(&self) -> Result<String, Error> {
        self.reading(async |db| tables::record_type(db, &self.name).await).await
    }

    /// Makes workers end after the chunk that each is at.
    ///
    /// # Errors
    ///
    /// `job-refused` if it does not run; otherwise those of [`plan`](Self::plan).
    pub async fn pause(&self) -> Result<(), Error> {
        self.turn(&[State::Running, State::Paused], State::Paused, "only a job that runs can be paused").await
    }

    /// Lets workers go on, after a pause, or after the job stopped and nobody writes plaintext any more. After a stop they go over the whole
    /// table again, as after [`reopen`](Self::reopen): the next worker counts how much plaintext there is now, and chunks that were done may have some.
    ///
    /// # Errors
    ///
    /// `job-refused` if it is done; otherwise those of [`plan`](Self::plan).
    pub async fn resume(&self) -> Result<(), Error> {
        self.on_connection(async |db| {
            let mut resuming = session::begin(db, Begin::Plain).await?;
            if tables::turn(&mut resuming, &self.name, &[State::Stopped], State::Running).await? {
                tables::reopen(&mut resuming, &self.name, None, 0).await?;
            } else if !tables::turn(&mut resuming, &self.name, &[State::Running, State::Paused], State::Running).await?
            {
                return Err(refused("the job is done: reopen it to go over the table again").into());
            }
            Ok(resuming.commit().await?)
        })
        .await
    }

    /// Lets an unseal open as many values as were approved. The job keeps the approval and what is opened under it, so workers that begin later share
    /// it. The same approval is added once. For more values there must be another one, with a name of its own.
    ///
    /// # Errors
    ///
    /// `job-refused` if the job is no unseal, or has an approval of this name for another number of values; otherwise those of [`plan`](Self::plan).
    pub async fn approve(&self, approval: &Approval) -> Result<(), Error> {
        self.on_connection(async |db| {
            let mut approving = session::begin(db, Begin::Durable).await?;
            let operation = status(&mut approving, &self.name).await?.0.operation;
            approval::add(&mut approving, &self.name, operation, approval).await?;
            Ok(approving.commit().await?)
        })
        .await
    }

    async fn turn(&self, from: &[State], to: State, otherwise: &str) -> Result<(), Error> {
        self.on_connection(async |db| {
            let turned = turn(db, Begin::Plain, &self.name, from, to).await?;
            Ok(turned.then_some(()).ok_or_else(|| refused(otherwise))?)
        })
        .await
    }

    /// Lets all chunks be done again, and forgets the faults: after they were mended, or if the count at the end found something. What is
    /// already as the job wants it is not written again.
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the spec is not the job's; otherwise those of [`plan`](Self::plan).
    pub async fn reopen(&self, spec: &Spec) -> Result<(), Error> {
        self.on_connection(async |db| {
            let mut snapshot = session::begin(db, Begin::Snapshot).await?;
            let (_, pinned) = tables::job(&mut snapshot, &self.name).await?;
            spec.admit(&pinned)?;
            let table = Table::read(&mut snapshot, spec).await?;
            let plaintext = totals(&mut snapshot, &table, spec).await?.plaintext;
            tables::reopen(&mut snapshot, &self.name, Some(plaintext), spec.generation()).await?;
            Ok(snapshot.commit().await?)
        })
        .await
    }

    /// Faults behind the one with this number, at most `limit`, each with its number. Begin with 0.
    ///
    /// # Errors
    ///
    /// Those of [`plan`](Self::plan).
    pub async fn faults(&self, after: u64, limit: u32) -> Result<Vec<(u64, Fault)>, Error> {
        self.reading(async |db| tables::faults(db, &self.name, after, limit).await).await
    }

    /// Counts the whole table and says what is left. If nothing is, the job is [done](State::Done). If there is more plaintext than the job
    /// left, it [stops](State::Stopped).
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the spec is not the job's; otherwise those of [`plan`](Self::plan).
    pub async fn finish(&self, spec: &Spec) -> Result<Ended, Error> {
        self.on_connection(async |db| end(db, &self.name, spec, Proof::by_count(spec.operation())).await).await
    }

    /// The same, by the work of the job, for an operation whose end no count proves: [`AddSubject`](crate::Operation::AddSubject). The work
    /// looks at each row once more, and nothing is written. A row counts as done if the work would leave it as it is.
    ///
    /// # Errors
    ///
    /// Those of [`finish`](Self::finish) and of [`ChunkWork::run`].
    pub async fn finish_with(&self, spec: &Spec, work: &dyn ChunkWork) -> Result<Ended, Error> {
        let proof = match Proof::by_count(spec.operation()) {
            Proof::Missing => self.on_connection(async |db| verify(db, &self.name, spec, work).await).await?,
            proof => proof,
        };
        self.on_connection(async |db| end(db, &self.name, spec, proof).await).await
    }

    /// In a transaction that writes nothing.
    async fn reading<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Trouble>) -> Result<T, Error> {
        self.on_connection(async |db| {
            let mut reading = session::begin(db, Begin::ReadOnly).await?;
            let found = work(&mut reading).await;
            reading.rollback().await?;
            found
        })
        .await
    }

    async fn on_connection<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Trouble>,
    ) -> Result<T, Error> {
        let mut db = session::connect(&self.url).await?;
        let result = work(&mut db).await.map_err(Trouble::explained);
        session::close(db).await;
        result
    }
}

/// The URL may have a password.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).finish_non_exhaustive()
    }
}

async fn plan(db: &mut PgConnection, name: &str, spec: &Spec, options: &PlanOptions) -> Result<(), Trouble> {
    preflight::look(db, &Target::of(spec, &options.named)).await?.admit(&options.accepted)?;
    let mut making = session::begin(db, Begin::Plain).await?;
    if !has_tables(&mut making).await? {
        sqlx::raw_sql(tables::SCHEMA).execute(&mut *making).await?;
    }
    making.commit().await?;
    // One moment for the bounds and the count.
    let mut snapshot = session::begin(db, Begin::Snapshot).await?;
    let table = Table::read(&mut snapshot, spec).await?;
    let keyspace = table.filter.as_ref().map(|(_, keyspace)| keyspace);
    let plaintext = totals(&mut snapshot, &table, spec).await?.plaintext;
    let mut count = sqlx::query_scalar(AssertSqlSafe(table.count())).persistent(false);
    if let Some(keyspace) = keyspace {
        count = count.bind(keyspace);
    }
    let rows: i64 = count.fetch_one(&mut *snapshot).await?;
    if !tables::insert(&mut snapshot, name, spec, u64::try_from(rows).unwrap_or_default(), plaintext).await? {
        return Err(refused("there is a job of this name already: give this one another name").into());
    }
    let mut chunks = sqlx::query(AssertSqlSafe(table.chunks())).persistent(false).bind(name);
    chunks = chunks.bind(i64::from(options.chunk_rows.max(1)));
    if let Some(keyspace) = keyspace {
        chunks = chunks.bind(keyspace);
    }
    let chunks = chunks.execute(&mut *snapshot).await?;
    if chunks.rows_affected() == 0 {
        // For rows that arrive meanwhile.
        let one = "INSERT INTO rxseal_chunk (job, no) VALUES ($1, 0)";
        sqlx::query(one).persistent(false).bind(name).execute(&mut *snapshot).await?;
    }
    Ok(snapshot.commit().await?)
}

async fn has_tables(db: &mut PgConnection) -> Result<bool, Trouble> {
    const HAS: &str = "SELECT bool_and(to_regclass(name) IS NOT NULL) \
        FROM unnest('{rxseal_job,rxseal_chunk,rxseal_fault,rxseal_approval,rxseal_opening}'::text[]) AS t (name)";
    Ok(sqlx::query_scalar(HAS).persistent(false).fetch_one(&mut *db).await?)
}

async fn status(db: &mut PgConnection, name: &str) -> Result<(Status, Option<u64>), Trouble> {
    Ok(tables::statuses(db, Some(name)).await?.pop().ok_or_else(tables::no_such_job)?)
}

/// Gives a job another state, if it has one of these.
async fn turn(db: &mut PgConnection, how: Begin, name: &str, from: &[State], to: State) -> Result<bool, Trouble> {
    let mut turning = session::begin(db, how).await?;
    let turned = tables::turn(&mut turning, name, from, to).await?;
    turning.commit().await?;
    Ok(turned)
}

/// Counts the whole table. The job is done if nothing is left.
async fn end(db: &mut PgConnection, name: &str, spec: &Spec, proof: Proof) -> Result<Ended, Trouble> {
    let ended = look(db, name, spec, proof).await?;
    if ended.is_clean() {
        turn(db, Begin::Durable, name, &[State::Running, State::Paused, State::Stopped], State::Done).await?;
    }
    Ok(ended)
}

/// Lets the work look at each row. It writes nothing, and what would be written is gone after each part.
async fn verify(db: &mut PgConnection, name: &str, spec: &Spec, work: &dyn ChunkWork) -> Result<Proof, Trouble> {
    let mut reading = session::begin(db, Begin::ReadOnly).await?;
    spec.admit(&tables::job(&mut reading, name).await?.1)?;
    if work.columns() != spec.columns() {
        return Err(Error::job_mismatch("the work is of other columns than the spec").into());
    }
    let table = Table::read(&mut reading, spec).await?;
    reading.rollback().await?;
    let (all, mut after, mut left) = (Range { lo: None, hi: None }, None::<Vec<String>>, 0_u64);
    let mut ask = Ask::default();
    loop {
        // One transaction for each part, since an old one would keep the server from removing dead rows.
        let mut reading = session::begin(db, Begin::ReadOnly).await?;
        let part = read_part(&mut reading, &table, &all, after.as_deref(), &mut ask).await?;
        reading.rollback().await?;
        let Some(last) = part.rows.last() else { break };
        after = Some(last.key.clone());
        let rows = cells(&part.rows, &table)?;
        left = left.saturating_add(unfinished(work, &rows).await?);
        if part.is_last {
            break;
        }
    }
    Ok(Proof::Rows(left))
}

/// Counts the whole table. The job stops if there is more plaintext than it left.
pub(super) async fn look(db: &mut PgConnection, name: &str, spec: &Spec, proof: Proof) -> Result<Ended, Trouble> {
    // A chunk's rows and its counts are committed together, so one moment has both or neither.
    let mut snapshot = session::begin(db, Begin::Snapshot).await?;
    let (_, pinned) = tables::job(&mut snapshot, name).await?;
    spec.admit(&pinned)?;
    let table = Table::read(&mut snapshot, spec).await?;
    let counted = totals(&mut snapshot, &table, spec).await?;
    let (status, plain_at_start) = status(&mut snapshot, name).await?;
    snapshot.rollback().await?;
    let plain_at_start = match plain_at_start {
        Some(plaintext) => plaintext,
        // The job was stopped and resumed: what there is now counts as there from the start.
        None => {
            let plaintext = at_start(counted.plaintext, &status);
            let mut writing = session::begin(db, Begin::Plain).await?;
            tables::begin_from(&mut writing, name, plaintext).await?;
            writing.commit().await?;
            plaintext
        }
    };
    let ended = judge(spec, counted, &status, plain_at_start, proof);
    if ended.plaintext_rose {
        turn(db, Begin::Plain, name, &[State::Running, State::Paused], State::Stopped).await?;
    }
    Ok(ended)
}
