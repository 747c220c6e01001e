//! One worker of the command: it waits as long as it should between chunks, and tries again what may succeed later.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[cfg(feature = "postgres")]
use rxseal_jobs::postgres;
use rxseal_jobs::{ChunkDone, ChunkWork, Limits, Spec, WorkerOptions, sqlite};

use crate::failure::Failure;
use crate::job::database::JobAt;

/// What every worker works with.
#[derive(Clone)]
pub struct Bench {
    pub job: JobAt,
    pub spec: Spec,
    pub work: Arc<dyn ChunkWork>,
    pub limits: Limits,
    /// Under which approval of the job they unseal.
    pub approval: Option<String>,
}

/// The chunk that was done last, until somebody shows it.
pub type Last = Mutex<Option<ChunkDone>>;

/// A long wait is cut into these, so that it ends soon when it should.
const NAP: Duration = Duration::from_millis(200);
/// How often a chunk is tried again if the database cannot do it now: 1, 2, 4, 8 and 16 seconds later.
const ATTEMPTS: u32 = 5;

/// Works until no chunk is left, the job is paused, or `stop` is set.
pub async fn work(bench: &Bench, number: u16, stop: &Arc<AtomicBool>, last: &Arc<Last>) -> Result<(), Failure> {
    let mut options = WorkerOptions::default();
    options.name = format!("process {} worker {number}", std::process::id());
    options.limits = bench.limits.clone();
    options.approval.clone_from(&bench.approval);
    match &bench.job {
        JobAt::Sqlite(job) => {
            let worker = sqlite::Worker::join(job, &bench.spec, Arc::clone(&bench.work), options)?;
            let (stop, last) = (Arc::clone(stop), Arc::clone(last));
            // Its calls block.
            let ended = tokio::task::spawn_blocking(move || work_in_sqlite(worker, &stop, &last)).await;
            ended.map_err(|broken| Failure::Io(broken.into()))?
        }
        #[cfg(feature = "postgres")]
        JobAt::Postgres(job) => {
            let worker = postgres::Worker::join(job, &bench.spec, Arc::clone(&bench.work), options).await?;
            work_in_postgres(worker, stop, last).await
        }
    }
}

fn work_in_sqlite(mut worker: sqlite::Worker, stop: &AtomicBool, last: &Last) -> Result<(), Failure> {
    let mut patience = Patience::default();
    while !stop.load(Ordering::Relaxed) {
        let pause = patience.wait().max(worker.pause()?);
        if !pause.is_zero() {
            let nap = pause.min(NAP);
            std::thread::sleep(nap);
            patience.waited(nap);
            continue;
        }
        match patience.judge(worker.run_chunk())? {
            Some(Some(done)) => tell(last, done),
            Some(None) => return Ok(()),
            None => {}
        }
    }
    Ok(())
}

#[cfg(feature = "postgres")]
async fn work_in_postgres(mut worker: postgres::Worker, stop: &AtomicBool, last: &Last) -> Result<(), Failure> {
    let mut patience = Patience::default();
    while !stop.load(Ordering::Relaxed) {
        let pause = match patience.wait() {
            wait if wait.is_zero() => patience.judge(worker.pause().await)?.unwrap_or(NAP),
            wait => wait,
        };
        if !pause.is_zero() {
            let nap = pause.min(NAP);
            tokio::time::sleep(nap).await;
            patience.waited(nap);
            continue;
        }
        match patience.judge(worker.run_chunk().await)? {
            Some(Some(done)) => tell(last, done),
            Some(None) => return Ok(()),
            None => {}
        }
    }
    Ok(())
}

fn tell(last: &Last, done: ChunkDone) {
    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
}

/// How long a worker waits for a database that cannot do it now.
#[derive(Default)]
struct Patience {
    failed: u32,
    wait: Duration,
}

impl Patience {
    fn wait(&self) -> Duration {
        self.wait
    }

    fn waited(&mut self, nap: Duration) {
        self.wait = self.wait.saturating_sub(nap);
    }

    /// The result, or `None` if it is tried again later.
    fn judge<T>(&mut self, result: Result<T, rxseal::Error>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => {
                *self = Self::default();
                Ok(Some(value))
            }
            Err(error) if error.is_retryable() && self.failed < ATTEMPTS => {
                self.wait = Duration::from_secs(1_u64.checked_shl(self.failed).unwrap_or(1));
                self.failed = self.failed.saturating_add(1);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
