//! A job in either database, with the same calls.

#![cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "only PostgreSQL waits"))]

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "postgres")]
use rxseal_jobs::postgres;
use rxseal_jobs::{Approval, ChunkWork, Ended, Fault, PlanOptions, Preflight, Spec, Status, sqlite};
use rxseal_map::At;

use crate::failure::{Failure, usage};
#[cfg(not(feature = "postgres"))]
use crate::not_built::postgres::jobs as without_postgres;

/// A database that has tables of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Database {
    /// The database of a source. `None` if a job cannot work there, since it is no table.
    pub fn of(at: &At, url: Option<&str>) -> Result<Option<Self>, Failure> {
        match (at, url) {
            (At::Sqlite { file, .. }, _) => Ok(Some(Self::Sqlite(file.clone()))),
            #[cfg(feature = "postgres")]
            (At::Postgres { .. }, Some(url)) => Ok(Some(Self::Postgres(url.to_owned()))),
            #[cfg(not(feature = "postgres"))]
            (At::Postgres { .. }, Some(_)) => without_postgres(),
            (At::Postgres { .. }, None) => {
                usage("the map has sources in PostgreSQL: say in which database with --postgres URL")
            }
            _ => Ok(None),
        }
    }

    pub async fn jobs(&self) -> Result<Vec<Status>, Failure> {
        match self {
            Self::Sqlite(path) => Ok(sqlite::Job::list(path)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Ok(postgres::Job::list(url).await?),
        }
    }

    pub async fn preflight(&self, spec: &Spec, named: &[String]) -> Result<Preflight, Failure> {
        match self {
            Self::Sqlite(path) => Ok(sqlite::preflight(path, spec, named)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Ok(postgres::preflight(url, spec, named).await?),
        }
    }

    pub async fn plan(&self, name: &str, spec: &Spec, options: &PlanOptions) -> Result<JobAt, Failure> {
        match self {
            Self::Sqlite(path) => Ok(JobAt::Sqlite(sqlite::Job::plan(path, name, spec, options)?)),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Ok(JobAt::Postgres(postgres::Job::plan(url, name, spec, options).await?)),
        }
    }

    pub async fn open(&self, name: &str) -> Result<JobAt, Failure> {
        match self {
            Self::Sqlite(path) => Ok(JobAt::Sqlite(sqlite::Job::open(path, name)?)),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Ok(JobAt::Postgres(postgres::Job::open(url, name).await?)),
        }
    }
}

/// A job that was planned.
#[derive(Clone)]
pub enum JobAt {
    Sqlite(sqlite::Job),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Job),
}

/// The same call of either job.
macro_rules! on_job {
    ($at:expr, $job:ident => $call:expr) => {
        match $at {
            JobAt::Sqlite($job) => $call,
            #[cfg(feature = "postgres")]
            JobAt::Postgres($job) => $call.await,
        }
    };
}

impl JobAt {
    pub async fn status(&self) -> Result<Status, Failure> {
        Ok(on_job!(self, job => job.status())?)
    }

    pub async fn record_type(&self) -> Result<String, Failure> {
        Ok(on_job!(self, job => job.record_type())?)
    }

    pub async fn pause(&self) -> Result<(), Failure> {
        Ok(on_job!(self, job => job.pause())?)
    }

    pub async fn resume(&self) -> Result<(), Failure> {
        Ok(on_job!(self, job => job.resume())?)
    }

    pub async fn approve(&self, approval: &Approval) -> Result<(), Failure> {
        Ok(on_job!(self, job => job.approve(approval))?)
    }

    pub async fn reopen(&self, spec: &Spec) -> Result<(), Failure> {
        Ok(on_job!(self, job => job.reopen(spec))?)
    }

    pub async fn faults(&self, after: u64, limit: u32) -> Result<Vec<(u64, Fault)>, Failure> {
        Ok(on_job!(self, job => job.faults(after, limit))?)
    }

    /// The work proves what no count does.
    pub async fn finish(&self, spec: &Spec, work: &Arc<dyn ChunkWork>) -> Result<Ended, Failure> {
        match self {
            Self::Sqlite(job) => {
                let (job, spec, work) = (job.clone(), spec.clone(), Arc::clone(work));
                // It blocks.
                let ended = tokio::task::spawn_blocking(move || job.finish_with(&spec, &*work)).await;
                Ok(ended.map_err(|broken| Failure::Io(broken.into()))??)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(job) => Ok(job.finish_with(spec, &**work).await?),
        }
    }
}
