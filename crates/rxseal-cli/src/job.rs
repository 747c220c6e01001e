//! `rxseal job`: whole tables are sealed, resealed and unsealed, beside the programs that use them.

mod ask;
mod database;
mod plan;
mod run;
mod shown;
mod source;

use rxseal_jobs::{Fault, Status};
use serde_json::{Value, json};

use crate::args::{Global, Job};
use crate::failure::Failure;
use crate::output::Output;
use database::JobAt;
use source::Desk;

pub async fn run(global: &Global, command: Job, output: &Output) -> Result<(), Failure> {
    match command {
        Job::Plan(command) => plan::plan(&Desk::of(global, &command.files)?, &command, output).await,
        Job::Run(command) => run::run(&Desk::of(global, &command.files)?, &command, output).await,
        Job::Status { job: None, files } => list(&Desk::of(global, &files.into())?, output).await,
        Job::Status { job: Some(job), files } => {
            let status = Desk::of(global, &files.into())?.find(&job).await?.status;
            Ok(output.say(&shown::status(&status), &json!(status))?)
        }
        Job::Pause { job, files } => {
            let job = Desk::of(global, &files.into())?.find(&job).await?.job;
            job.pause().await?;
            said(&job, "paused: each worker ends after its chunk", output).await
        }
        Job::Resume { job, files } => {
            let job = Desk::of(global, &files.into())?.find(&job).await?.job;
            job.resume().await?;
            said(&job, "resumed: `rxseal job run` goes on", output).await
        }
        Job::Faults { job, retry: false, files } => {
            faults(&Desk::of(global, &files)?.find(&job).await?.job, output).await
        }
        Job::Faults { job, retry: true, files } => {
            let desk = Desk::of(global, &files)?;
            let found = desk.find(&job).await?;
            let planned = desk.planned_for(&found, output).await?;
            found.job.reopen(&planned.spec).await?;
            said(&found.job, "opened again: `rxseal job run` goes over the table", output).await
        }
    }
}

/// What was done, with how far the job is now.
async fn said(job: &JobAt, what: &str, output: &Output) -> Result<(), Failure> {
    let status = job.status().await?;
    output.done(true, &format!("{}: {what}", status.job), &json!(status))
}

async fn list(desk: &Desk, output: &Output) -> Result<(), Failure> {
    let jobs: Vec<Status> = desk.jobs().await?.into_iter().map(|(_, status)| status).collect();
    if jobs.is_empty() {
        return Ok(output.list(&[], "no job is planned", &json!([]))?);
    }
    Ok(output.say(&shown::list(&jobs), &json!(jobs))?)
}

/// How many faults are read at a time.
const PAGE: u32 = 1000;

async fn faults(job: &JobAt, output: &Output) -> Result<(), Failure> {
    let (mut after, mut faults): (u64, Vec<Fault>) = (0, Vec::new());
    loop {
        let page = job.faults(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        faults.extend(page.into_iter().map(|(_, fault)| fault));
    }
    let value: Value = faults.iter().map(|fault| json!(fault)).collect();
    if faults.is_empty() {
        return Ok(output.list(&[], "no row is faulty", &value)?);
    }
    output.say(&shown::faults(&faults), &value)?;
    Err(Failure::Checked(format!("{} faults are listed: mend the rows, then use --retry", faults.len())))
}
