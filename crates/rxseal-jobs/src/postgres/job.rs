//! A job: planned once, looked at, paused, and counted at its end.

use std::fmt;

use rxseal::Error;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::approval;
use super::count::totals;
use super::preflight;
use super::session;
use super::table::Table;
use super::tables;
use super::trouble::Trouble;
use crate::end::{at_start, judge};
use crate::fault::Fault;
use crate::options::PlanOptions;
use crate::preflight::Target;
use crate::progress::{Ended, State, Status};
use crate::spec::Spec;
use crate::trouble::refused;
use crate::work::Approval;

/// A job over one table of a PostgreSQL database. Its state is in tables beside the data, whose names begin with `rxseal_`.
#[derive(Clone)]
pub struct Job {
    url: String,
    name: String,
}

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

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
        job.on_connection(async |db| {
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
            .on_connection(async |db| {
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
        self.on_connection(async |db| Ok(status(db, &self.name).await?.0)).await
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
            let mut resuming = db.begin().await?;
            if tables::turn(&mut resuming, &self.name, &[State::Stopped], State::Running).await? {
                tables::reopen(&mut resuming, &self.name, None, 0).await?;
            } else if !tables::turn(&mut resuming, &self.name, &[State::Running, State::Paused], State::Running).await? {
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
            let operation = status(db, &self.name).await?.0.operation;
            approval::add(db, &self.name, operation, approval).await
        })
        .await
    }

    async fn turn(&self, from: &[State], to: State, otherwise: &str) -> Result<(), Error> {
        self.on_connection(async |db| {
            let turned = tables::turn(db, &self.name, from, to).await?;
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
            let (_, pinned) = tables::job(db, &self.name).await?;
            spec.admit(&pinned)?;
            let table = Table::read(db, spec).await?;
            let mut snapshot = db.begin_with(SNAPSHOT).await?;
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
        self.on_connection(async |db| tables::faults(db, &self.name, after, limit).await).await
    }

    /// Counts the whole table and says what is left. If nothing is, the job is [done](State::Done). If there is more plaintext than the job
    /// left, it [stops](State::Stopped).
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the spec is not the job's; otherwise those of [`plan`](Self::plan).
    pub async fn finish(&self, spec: &Spec) -> Result<Ended, Error> {
        self.on_connection(async |db| {
            let ended = look(db, &self.name, spec).await?;
            if ended.is_clean() {
                // Committed to disk, and so is every chunk before it, although workers do not wait for that.
                tables::turn(db, &self.name, &[State::Running, State::Paused, State::Stopped], State::Done).await?;
            }
            Ok(ended)
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
    let table = Table::read(db, spec).await?;
    if !has_tables(db).await? {
        sqlx::raw_sql(tables::SCHEMA).execute(&mut *db).await?;
    }
    // One moment for the bounds and the count.
    let mut snapshot = db.begin_with(SNAPSHOT).await?;
    let plaintext = totals(&mut snapshot, &table, spec).await?.plaintext;
    let count = format!("SELECT count(*) FROM {}", table.quoted);
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count)).persistent(false).fetch_one(&mut *snapshot).await?;
    if !tables::insert(&mut snapshot, name, spec, u64::try_from(rows).unwrap_or_default(), plaintext).await? {
        return Err(refused("there is a job of this name already: give this one another name").into());
    }
    let chunks = sqlx::query(AssertSqlSafe(table.chunks())).persistent(false).bind(name);
    let chunks = chunks.bind(i64::from(options.chunk_rows.max(1))).execute(&mut *snapshot).await?;
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

/// Counts the whole table. The job stops if there is more plaintext than it left.
pub(super) async fn look(db: &mut PgConnection, name: &str, spec: &Spec) -> Result<Ended, Trouble> {
    let (_, pinned) = tables::job(db, name).await?;
    spec.admit(&pinned)?;
    let table = Table::read(db, spec).await?;
    // A chunk's rows and its counts are committed together, so one moment has both or neither.
    let mut snapshot = db.begin_with(SNAPSHOT).await?;
    let counted = totals(&mut snapshot, &table, spec).await?;
    let (status, plain_at_start) = status(&mut snapshot, name).await?;
    snapshot.rollback().await?;
    let plain_at_start = match plain_at_start {
        Some(plaintext) => plaintext,
        // The job was stopped and resumed: what there is now counts as there from the start.
        None => {
            let plaintext = at_start(counted.plaintext, &status);
            tables::begin_from(db, name, plaintext).await?;
            plaintext
        }
    };
    let ended = judge(spec, counted, &status, plain_at_start);
    if ended.plaintext_rose {
        tables::turn(db, name, &[State::Running, State::Paused], State::Stopped).await?;
    }
    Ok(ended)
}
