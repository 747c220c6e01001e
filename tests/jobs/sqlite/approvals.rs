//! The approvals of an unseal are kept with the job, and a job that stopped is resumed.

use std::error::Error as _;
use std::sync::Arc;

use rxseal_jobs::sqlite::{Job, Worker};
use rxseal_jobs::{Approval, ChunkWork, DeclaredWork, Operation, PlanOptions, Spec, State, WorkerOptions};

use super::Database;
use crate::rows::{access, schema, source};
use crate::stops::LostOnce;

/// Runs that go on and workers that are lost share it.
#[test]
fn a_budget_is_of_all_runs_together() {
    let database = Database::filled(100, 1);
    let backfill = database.plan("backfill", Operation::Backfill, 100);
    backfill.run();
    let refused = |error: rxseal::Error, part: &str| {
        let cause = error.source().unwrap().to_string();
        assert!(error.code().as_str() == "job-refused" && cause.contains(part), "{cause}");
    };
    let approval = |name: &str, values| Approval::new(name, values).unwrap();
    refused(backfill.job.approve(&approval("CHG-1", 1)).unwrap_err(), "only an unseal");

    let (ring, map) = (database.keys.unlocked(), database.map("\"id\""));
    let spec = Spec::new(Operation::Unseal, source(&map), &schema(), &ring).unwrap();
    let work: Arc<dyn ChunkWork> = Arc::new(DeclaredWork::new(&spec, &schema(), &ring).unwrap().with_access(access()));
    let mut options = PlanOptions::default();
    options.chunk_rows = 10;
    options.accepted = vec!["shared-id:id".into()];
    let job = Job::plan(database.path(), "unseal", &spec, &options).unwrap();
    let join = |work, name: Option<&str>| {
        let mut options = WorkerOptions::default();
        options.approval = name.map(str::to_owned);
        Worker::join(&job, &spec, work, options)
    };
    refused(join(work.clone(), None).unwrap_err(), "no such approval");
    // 100 rows of 5 values, in chunks of 10 rows.
    job.approve(&approval("CHG-1", 220)).unwrap();
    job.approve(&approval("CHG-1", 220)).unwrap();
    refused(job.approve(&approval("CHG-1", 230)).unwrap_err(), "220 values");
    refused(join(work.clone(), Some("CHG-2")).unwrap_err(), "no such approval");

    // Opened by a worker that was lost: it stays charged, and is not charged again when it is done.
    join(LostOnce::new(work.clone()), None).unwrap().run_chunk().unwrap_err();
    let approvals = || {
        let approvals = job.status().unwrap().approvals;
        approvals.iter().map(|approval| (approval.name.clone(), approval.opened, approval.left())).collect::<Vec<_>>()
    };
    assert_eq!(approvals(), [("CHG-1".to_owned(), 50, 170)]);
    let mut one = join(work.clone(), None).unwrap();
    for _ in 0..2 {
        assert_eq!(one.run_chunk().unwrap().unwrap().counts.unsealed, 50);
    }
    let mut other = join(work.clone(), Some("CHG-1")).unwrap();
    for _ in 0..2 {
        assert_eq!(other.run_chunk().unwrap().unwrap().counts.unsealed, 50);
    }
    refused(other.run_chunk().unwrap_err(), "CHG-1 is used up: 20 values are left, and the next rows have 50");
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'"), 60);

    // ApprovalUse under another name: workers that begin now open under that one.
    job.approve(&approval("CHG-2", 300)).unwrap();
    let mut worker = join(work, None).unwrap();
    while worker.run_chunk().unwrap().is_some() {}
    assert_eq!(approvals(), [("CHG-1".to_owned(), 200, 20), ("CHG-2".to_owned(), 300, 0)]);
    assert!(job.finish(&spec).unwrap().is_clean());
    assert_eq!(database.count("SELECT count(*) FROM rxseal_opening"), 0);
}

/// A program wrote plaintext while the job ran. After it was stopped, the job goes on, and seals what that program wrote.
#[test]
fn a_job_that_stopped_is_resumed() {
    let database = Database::filled(100, 1);
    let backfill = database.plan("backfill", Operation::Backfill, 10);
    let mut worker = backfill.worker();
    for _ in 0..5 {
        worker.run_chunk().unwrap();
    }
    let around = "UPDATE rx SET drug = 'written around', note = 'written around' WHERE id <= 3";
    database.connect().execute_batch(around).unwrap();
    assert!(backfill.job.finish(&backfill.spec).unwrap().plaintext_rose);
    assert_eq!(worker.run_chunk().unwrap_err().code().as_str(), "job-stopped");

    backfill.job.resume().unwrap();
    assert_eq!(backfill.job.status().unwrap().state, State::Running);
    let mut options = WorkerOptions::default();
    // It counts before each chunk.
    options.look_every = std::time::Duration::ZERO;
    let mut worker = Worker::join(&backfill.job, &backfill.spec, Arc::clone(&backfill.work), options).unwrap();
    while worker.run_chunk().unwrap().is_some() {}
    let ended = backfill.job.finish(&backfill.spec).unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    assert!(backfill.job.resume().is_err(), "it is done");
}
