//! `rxseal job run`: workers, what is shown of them, and the count at the end.

mod audit;
mod consent;
mod progress;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rxseal_jobs::{ChunkDone, Hours, Limits, State, Status};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::consent::Consent;
use self::progress::Progress;
use self::worker::{Bench, work};
use super::shown;
use super::source::find;
use crate::args::{Global, RunJob};
use crate::failure::{Failure, usage};
use crate::output::Output;

/// How often it is looked how far the job is, with the workers of other machines.
const LOOK: Duration = Duration::from_secs(1);

pub async fn run(global: &Global, command: &RunJob, output: &Output) -> Result<(), Failure> {
    // Everything that was typed is checked before a root key is asked.
    let limits = limits(command)?;
    let found = find(&command.files, &command.job).await?;
    let consent = Consent::of(command, found.status.operation)?;
    let planned = found.planned(global, &command.files, output).await?;
    let spec = planned.spec.clone();
    let work = consent.work(global, planned).await?;
    let bench = Bench { job: found.job, spec, work, limits };
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
    let (sender, mut chunks) = mpsc::channel::<ChunkDone>(64);
    let mut tasks = JoinSet::new();
    for number in 1..=workers {
        let (bench, stop, sender) = (bench.clone(), Arc::clone(&stop), sender.clone());
        tasks.spawn(async move { work(&bench, number, &stop, &sender).await });
    }
    drop(sender);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut look = tokio::time::interval(LOOK);
    let mut progress = Progress::new(began, output);
    let (mut last, mut failure) = (None, None);
    loop {
        tokio::select! {
            Some(done) = chunks.recv() => last = Some(done),
            _ = look.tick() => progress.show(&bench.job.status().await?, last.take().as_ref()),
            _ = interrupt.recv() => progress.stop(&stop),
            _ = terminate.recv() => progress.stop(&stop),
            ended = tasks.join_next() => match ended {
                None => break,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(worker))) => {
                    // One that cannot go on ends the others, after their chunks.
                    stop.store(true, Ordering::Relaxed);
                    failure.get_or_insert(worker);
                }
                Some(Err(broken)) => {
                    stop.store(true, Ordering::Relaxed);
                    failure.get_or_insert(Failure::Io(broken.into()));
                }
            },
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
    let ended = bench.job.finish(&bench.spec).await?;
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
