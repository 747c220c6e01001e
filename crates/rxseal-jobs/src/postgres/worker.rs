//! A worker: takes one chunk after the other, until none is left.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rxseal::Error;
use sqlx::postgres::PgConnection;

use super::approval::Purse;
use super::chunk::{self, Bench};
use super::job::{Job, look};
use super::lag;
use super::preflight::logs_values;
use super::reading::Ask;
use super::session::{self, Begin};
use super::table::Table;
use super::tables;
use super::trouble::Trouble;
use crate::end::Proof;
use crate::options::WorkerOptions;
use crate::progress::{ChunkDone, State};
use crate::row::ChunkWork;
use crate::spec::{Operation, Spec};
use crate::throttle::Throttle;
use crate::trouble::refused;

/// Works on the chunks of a job, one after the other. The loop is `while worker.run_chunk().await?.is_some() {}`, or [`run`](Self::run), which
/// holds itself to limits too.
///
/// Each worker has a connection of its own. Several of them, in as many processes and on as many machines as you like, share a job and
/// nothing else.
pub struct Worker {
    job: Job,
    spec: Spec,
    work: Arc<dyn ChunkWork>,
    options: WorkerOptions,
    table: Arc<Table>,
    db: Option<PgConnection>,
    purse: Option<Purse>,
    ask: Ask,
    throttle: Throttle,
    not_before: Option<Instant>,
    looked: Instant,
}

/// How often a chunk is begun anew, after the connection was lost or the server cancelled it.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);
/// A long wait is cut into these, so that a job that was paused meanwhile ends soon.
const NAP: Duration = Duration::from_secs(5);

impl Worker {
    /// Joins a job.
    ///
    /// # Errors
    ///
    /// - `job-mismatch` if the spec is not the one that the job was planned with, or the keyring is older.
    /// - `job-refused` if there is no such job, the table is no longer as it was, or it is an unseal without an approval.
    /// - `store-refused` and `store-unavailable`; `runtime-needed` outside of a tokio runtime.
    pub async fn join(job: &Job, spec: &Spec, work: Arc<dyn ChunkWork>, options: WorkerOptions) -> Result<Self, Error> {
        let mut db = session::connect(job.url()).await?;
        let joined = join(&mut db, job, spec, &*work, options.approval.as_deref()).await;
        let (table, purse) = joined.map_err(Trouble::explained)?;
        let throttle = Throttle::new(&options.limits);
        let (job, spec) = (job.clone(), spec.clone());
        let (db, not_before, looked) = (Some(db), None, Instant::now());
        let ask = Ask::default();
        Ok(Self { job, spec, work, options, table, db, purse, ask, throttle, not_before, looked })
    }

    /// Works on the next chunk. `None` if none is left, or if somebody paused the job. It waits for no [`pause`](Self::pause).
    ///
    /// If the connection is lost, or the server cancels the chunk, it begins anew, up to 5 times.
    ///
    /// # Errors
    ///
    /// - `job-stopped` if there is more plaintext than the job left. `job-mismatch` if the job was planned anew.
    /// - `store-unavailable` if the server cannot do it now. Nothing of the chunk was written, so call it again later.
    /// - `store-refused` if the server refuses the worker.
    /// - Those of [`ChunkWork::run`].
    pub async fn run_chunk(&mut self) -> Result<Option<ChunkDone>, Error> {
        let mut attempt = 1;
        loop {
            let trouble = match self.try_chunk().await {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            if attempt >= ATTEMPTS || !trouble.is_passing() {
                return Err(trouble.explained());
            }
            tokio::time::sleep(PAUSE.saturating_mul(1 << attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// How long to wait before the next chunk: for the rate, for the hours, because the last chunk was slow, or because a replica is behind.
    ///
    /// # Errors
    ///
    /// Those of [`run_chunk`](Self::run_chunk); `job-refused` if the role may not see how far replicas are behind.
    pub async fn pause(&mut self) -> Result<Duration, Error> {
        let rest = self.not_before.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if !rest.is_zero() {
            return Ok(rest);
        }
        let limits = self.options.limits.clone();
        let waited = match self.connection().await {
            Ok(db) => lag::wait(db, &limits).await,
            Err(error) => return Err(error),
        };
        match waited {
            Ok(wait) => Ok(wait),
            Err(trouble) if trouble.is_passing() => {
                self.db = None;
                Ok(PAUSE)
            }
            Err(trouble) => Err(trouble.explained()),
        }
    }

    /// Works until no chunk is left or somebody pauses the job, holds itself to its limits, and calls `after` for each chunk. Drop the future
    /// to end earlier: the chunk that it is at is then done by another worker.
    ///
    /// # Errors
    ///
    /// Those of [`run_chunk`](Self::run_chunk) and [`pause`](Self::pause).
    pub async fn run(&mut self, mut after: impl FnMut(&ChunkDone)) -> Result<(), Error> {
        loop {
            let pause = self.pause().await?;
            if !pause.is_zero() {
                tokio::time::sleep(pause.min(NAP)).await;
                if pause > NAP && self.job.status().await?.state != State::Running {
                    return Ok(());
                }
                continue;
            }
            match self.run_chunk().await? {
                Some(done) => after(&done),
                None => return Ok(()),
            }
        }
    }

    async fn try_chunk(&mut self) -> Result<Option<ChunkDone>, Trouble> {
        self.look_from_time_to_time().await?;
        // Taken out, so that a connection on which something failed is not used again.
        let mut db = self.take_connection().await?;
        let (job, options) = (self.job.name(), &self.options);
        let bench = Bench { job, spec: &self.spec, table: &self.table, work: &self.work, options };
        let done = chunk::next(&mut db, &bench, self.purse.as_mut(), &mut self.ask).await?;
        self.db = Some(db);
        if let Some(done) = &done {
            let pause = self.throttle.after_chunk(done.counts.rows, done.took);
            self.not_before = Instant::now().checked_add(pause);
        }
        Ok(done)
    }

    /// Plaintext that became more is found while the job runs, and not at its end alone.
    async fn look_from_time_to_time(&mut self) -> Result<(), Trouble> {
        if self.looked.elapsed() < self.options.look_every {
            return Ok(());
        }
        let mut db = session::connect(self.job.url()).await?;
        let looked = look(&mut db, self.job.name(), &self.spec, Proof::by_count(self.spec.operation())).await;
        session::close(db).await;
        looked?;
        self.looked = Instant::now();
        Ok(())
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, Error> {
        let db = self.take_connection().await?;
        Ok(self.db.insert(db))
    }

    async fn take_connection(&mut self) -> Result<PgConnection, Error> {
        match self.db.take() {
            Some(db) => Ok(db),
            None => session::connect(self.job.url()).await,
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("job", &self.job).field("options", &self.options).finish_non_exhaustive()
    }
}

async fn join(
    db: &mut PgConnection,
    job: &Job,
    spec: &Spec,
    work: &dyn ChunkWork,
    approval: Option<&str>,
) -> Result<(Arc<Table>, Option<Purse>), Trouble> {
    let mut reading = session::begin(db, Begin::ReadOnly).await?;
    let (_, pinned) = tables::job(&mut reading, job.name()).await?;
    spec.admit(&pinned)?;
    if work.columns() != spec.columns() {
        return Err(Error::job_mismatch("the work is of other columns than the spec").into());
    }
    nothing_is_logged(&mut reading, spec).await?;
    let table = Arc::new(Table::read(&mut reading, spec).await?);
    let purse = match spec.operation() {
        Operation::Unseal => Some(Purse::of(&mut reading, (job.url(), job.name()), approval).await?),
        _ => None,
    };
    let is_to_be_counted = tables::is_to_be_counted(&mut reading, job.name()).await?;
    reading.rollback().await?;
    if is_to_be_counted {
        look(db, job.name(), spec, Proof::by_count(spec.operation())).await?;
    }
    Ok((table, purse))
}

/// A job that unseals sends plaintext to the database as parameters of statements. Its server must not write them into its log.
async fn nothing_is_logged(db: &mut PgConnection, spec: &Spec) -> Result<(), Trouble> {
    if spec.operation() != Operation::Unseal {
        return Ok(());
    }
    if logs_values(db).await? {
        let text = "the server may log the values that the job unseals: set log_parameter_max_length and log_parameter_max_length_on_error to 0 for the role of the job, and turn off what else logs parameters";
        return Err(refused(text).into());
    }
    Ok(())
}
