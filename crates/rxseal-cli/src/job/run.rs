//! `rxseal job run`: workers, what is shown of them, and the count at the end.

mod consent;
mod progress;
mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rxseal_jobs::{Hours, Limits, State, Status};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::consent::Consent;
use self::progress::Progress;
use self::worker::{Bench, work};
use super::shown;
use super::source::Desk;
use crate::args::RunJob;
use crate::failure::Failure;
use crate::output::Output;

/// How often it is looked how far the job is, with the workers of other machines.
const LOOK: Duration = Duration::from_secs(1);

pub async fn run(desk: &Desk, command: &RunJob, output: &Output) -> Result<(), Failure> {
    // Everything that was typed is checked before a root key is asked.
    let limits = limits(command)?;
    let found = desk.find(&command.job).await?;
    let consent = Consent::of(command, &found.status, desk, output)?;
    let planned = desk.planned_for(&found, output).await?;
    let spec = planned.spec.clone();
    let work = consent.work(desk, planned).await?;
    if let Some(approval) = &consent.approval {
        found.job.approve(approval).await?;
    }
    let bench = Bench { job: found.job, spec, work, limits, approval: consent.under };
    let was_stopped = run_workers(&bench, command.workers, &found.status, output).await?;
    end(&bench, was_stopped, output).await
}

fn limits(command: &RunJob) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    limits.rows_per_second = command.rows_per_second.map(|rate| rate.div_ceil(u32::from(command.workers)));
    limits.max_replica_lag = command.max_replica_lag.0;
    limits.between = command.between.as_deref().map(Hours::parse).transpose()?;
    Ok(limits)
}

/// Lets workers work until nothing is left, or somebody stops them. Says whether it was this command that was stopped.
async fn run_workers(bench: &Bench, workers: u16, began: &Status, output: &Output) -> Result<bool, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let last = Arc::new(Mutex::new(None));
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let (stop, mut signals) = (Arc::clone(&stop), signal(kind)?);
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                stop.store(true, Ordering::Relaxed);
            }
        });
    }
    let mut tasks = JoinSet::new();
    for number in 1..=workers {
        let (bench, stop, last) = (bench.clone(), Arc::clone(&stop), Arc::clone(&last));
        tasks.spawn(async move { work(&bench, number, &stop, &last).await });
    }
    let mut progress = Progress::new(began, output);
    let mut failure = None;
    loop {
        match timeout(LOOK, tasks.join_next()).await {
            Ok(None) => break,
            Ok(Some(ended)) => {
                if let Err(worker) = ended.unwrap_or_else(|broken| Err(Failure::Io(broken.into()))) {
                    // One that cannot go on ends the others, after their chunks.
                    stop.store(true, Ordering::Relaxed);
                    failure.get_or_insert(worker);
                }
            }
            Err(_) if stop.load(Ordering::Relaxed) => progress.stopping(),
            Err(_) => {
                let done = last.lock().unwrap_or_else(PoisonError::into_inner).take();
                progress.show(&bench.job.status().await?, done.as_ref());
            }
        }
    }
    progress.end();
    match failure {
        Some(failure) => Err(failure),
        None => Ok(stop.load(Ordering::Relaxed)),
    }
}

/// Counts the whole table. Only if nothing is left is the command successful.
async fn end(bench: &Bench, was_stopped: bool, output: &Output) -> Result<(), Failure> {
    let status = bench.job.status().await?;
    let is_left = status.chunks_done < status.chunks;
    if is_left && (was_stopped || status.state == State::Paused) {
        let why = if was_stopped { "stopped" } else { "paused" };
        output.say(&shown::status(&status), &json!({ "status": status, "ended": null }))?;
        return Err(Failure::Checked(format!(
            "{why} with {} of {} chunks done: `rxseal job {} {}` goes on",
            status.chunks_done,
            status.chunks,
            if was_stopped { "run" } else { "resume" },
            status.job
        )));
    }
    let ended = bench.job.finish(&bench.spec, &bench.work).await?;
    let status = bench.job.status().await?;
    output.say(&shown::ended(&status, &ended), &json!({ "status": status, "ended": ended }))?;
    if ended.plaintext_rose {
        return Err(Failure::Rxseal(rxseal::Error::job_stopped()));
    }
    if ended.is_clean() {
        return Ok(());
    }
    Err(Failure::Checked(format!("{} is not done: {}", status.job, ended.left.join("; "))))
}
