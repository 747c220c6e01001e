//! The approvals of an unseal are kept with the job, and a job that stopped is resumed.

use std::error::Error as _;
use std::sync::Arc;

use rxseal_jobs::postgres::{Job, Worker};
use rxseal_jobs::{Approval, DeclaredWork, Operation, PlanOptions, Spec, State, WorkerOptions};

use crate::rows::{access, schema, source};
use crate::stops::LostOnce;
use crate::support::{Database, Keys, Running};

/// Runs that go on, workers that are lost and workers beside each other share it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_budget_is_of_all_runs_together() {
    let (keys, database) = (Keys::new(), Database::new().await);
    database.fill(100, 1).await;
    let ring = keys.unlocked();
    let backfill = Running::plan(&database, &ring, Operation::Backfill, 100).await;
    backfill.run().await;
    let refused = |error: rxseal::Error, part: &str| {
        let cause = error.source().unwrap().to_string();
        assert!(error.code().as_str() == "job-refused" && cause.contains(part), "{cause}");
    };
    let approval = |name: &str, values| Approval::new(name, values).unwrap();
    refused(backfill.job.approve(&approval("CHG-1", 1)).await.unwrap_err(), "only an unseal");

    let spec = Spec::new(Operation::Unseal, source(&database.map()), &schema(), &ring).unwrap();
    let work = Arc::new(DeclaredWork::new(&spec, &schema(), &ring).unwrap().with_access(access()));
    let mut options = PlanOptions::default();
    options.chunk_rows = 10;
    options.accepted = vec!["shared-id:id".into()];
    let job = Job::plan(&database.url(), "unseal", &spec, &options).await.unwrap();
    let join = async |work, name: Option<&str>| {
        let mut options = WorkerOptions::default();
        options.approval = name.map(str::to_owned);
        Worker::join(&job, &spec, work, options).await
    };
    refused(join(work.clone(), None).await.unwrap_err(), "no such approval");
    // 100 rows of 5 values, in chunks of 10 rows.
    job.approve(&approval("CHG-1", 220)).await.unwrap();
    job.approve(&approval("CHG-1", 220)).await.unwrap();
    refused(job.approve(&approval("CHG-1", 230)).await.unwrap_err(), "220 values");
    refused(join(work.clone(), Some("CHG-2")).await.unwrap_err(), "no such approval");

    // Opened by a worker that was lost: it stays charged, and is not charged again when it is done.
    let mut lost = join(LostOnce::new(work.clone()), None).await.unwrap();
    lost.run_chunk().await.unwrap_err();
    let approvals = async || {
        let approvals = job.status().await.unwrap().approvals;
        approvals.iter().map(|approval| (approval.name.clone(), approval.opened, approval.left())).collect::<Vec<_>>()
    };
    assert_eq!(approvals().await, [("CHG-1".to_owned(), 50, 170)]);
    // On another machine, and beside a second one.
    let (mut one, mut other) =
        (join(work.clone(), Some("CHG-1")).await.unwrap(), join(work.clone(), None).await.unwrap());
    for _ in 0..2 {
        assert_eq!(one.run_chunk().await.unwrap().unwrap().counts.unsealed, 50);
        assert_eq!(other.run_chunk().await.unwrap().unwrap().counts.unsealed, 50);
    }
    assert_eq!(approvals().await, [("CHG-1".to_owned(), 200, 20)]);
    for worker in [&mut one, &mut other] {
        refused(
            worker.run_chunk().await.unwrap_err(),
            "CHG-1 is used up: 20 values are left, and the next rows have 50",
        );
    }
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'").await, 60);

    // ApprovalUse under another name: workers that begin now open under that one.
    job.approve(&approval("CHG-2", 300)).await.unwrap();
    let mut worker = join(work, None).await.unwrap();
    while worker.run_chunk().await.unwrap().is_some() {}
    assert_eq!(approvals().await, [("CHG-1".to_owned(), 200, 20), ("CHG-2".to_owned(), 300, 0)]);
    assert!(job.finish(&spec).await.unwrap().is_clean());
    assert_eq!(database.count("SELECT count(*) FROM rxseal_opening").await, 0);
    let json = serde_json::to_value(job.status().await.unwrap()).unwrap();
    assert_eq!((&json["approvals"][1]["name"], &json["approvals"][1]["values"]), (&"CHG-2".into(), &300.into()));
}

/// A program wrote plaintext while the job ran. After it was stopped, the job goes on, and seals what that program wrote.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_job_that_stopped_is_resumed() {
    let (keys, database) = (Keys::new(), Database::new().await);
    database.fill(100, 1).await;
    let backfill = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 10).await;
    let mut worker = backfill.worker().await;
    for _ in 0..5 {
        worker.run_chunk().await.unwrap();
    }
    database.run("UPDATE rx SET drug = 'written around', note = 'written around' WHERE id <= 3").await;
    let ended = backfill.job.finish(&backfill.spec).await.unwrap();
    assert!(ended.plaintext_rose, "{ended:?}");
    assert_eq!(worker.run_chunk().await.unwrap_err().code().as_str(), "job-stopped");

    backfill.job.resume().await.unwrap();
    assert_eq!(backfill.job.status().await.unwrap().state, State::Running);
    let mut options = WorkerOptions::default();
    // It counts before each chunk.
    options.look_every = std::time::Duration::ZERO;
    let mut worker = backfill.worker_with(options).await;
    while worker.run_chunk().await.unwrap().is_some() {}
    let ended = backfill.job.finish(&backfill.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    assert!(backfill.job.resume().await.is_err(), "it is done");
}
