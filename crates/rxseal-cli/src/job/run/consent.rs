//! What an operation that opens fields needs beside the keys: who, why, the log that tells of it, and for an unseal an approval.

use std::sync::Arc;

use rxseal::{Access, Purpose};
use rxseal_jobs::{Approval, ChunkWork, DeclaredWork, Operation, Status};

use crate::args::RunJob;
use crate::failure::{Failure, usage};
use crate::job::ask::{can_ask, says_yes};
use crate::job::source::{Desk, Planned};
use crate::output::Output;

/// What was said of openings. The other operations hand out no plaintext, and need nothing.
#[derive(Default)]
pub struct Consent {
    access: Option<Access>,
    /// An approval that the job may not have yet.
    pub approval: Option<Approval>,
    /// The name of the approval that workers open under.
    pub under: Option<String>,
}

impl Consent {
    pub fn of(command: &RunJob, status: &Status, desk: &Desk, output: &Output) -> Result<Self, Failure> {
        let operation = status.operation;
        let said = [command.who.is_some(), command.why.is_some(), command.approval.is_some(), command.frozen.is_some()];
        if !matches!(operation, Operation::Unseal | Operation::AddSubject) {
            if said.contains(&true) {
                return usage(&format!(
                    "--who, --why, --approval and --frozen are for jobs that open fields, and {operation} opens none"
                ));
            }
            return Ok(Self::default());
        }
        let (Some(who), Some(why)) = (&command.who, &command.why) else {
            return usage(&format!("{operation} opens fields: say who and why with --who and --why"));
        };
        let access = Access::new(who, why.parse::<Purpose>()?)?;
        let approval = approval(command, status)?;
        let last = status.approvals.last().map(|approval| &approval.name);
        let under = approval.as_ref().map(Approval::name).or(last.map(String::as_str)).map(str::to_owned);
        // Each event of the log has it.
        let access = match &under {
            Some(name) => access.request_id(name)?,
            None => access,
        };
        if operation == Operation::Unseal && !command.yes && !asked(&command.job)? {
            return usage("unseal writes plaintext that everybody can read who reads the table: confirm with --yes");
        }
        desk.journal().start_for_job(&command.job, command.frozen.as_deref().or(desk.frozen()), output)?;
        Ok(Self { access: Some(access), approval, under })
    }

    /// The work on rows, with all that it needs.
    pub async fn work(&self, desk: &Desk, planned: Planned) -> Result<Arc<dyn ChunkWork>, Failure> {
        let Planned { spec, record, keys } = planned;
        let mut work = DeclaredWork::new(&spec, &record, &keys)?;
        if record.subject().is_some() {
            work = work.with_subjects(desk.subjects().await?);
        }
        if let Some(access) = &self.access {
            work = work.with_access(access.clone());
        }
        Ok(Arc::new(work))
    }
}

fn asked(job: &str) -> Result<bool, Failure> {
    Ok(can_ask() && says_yes(&format!("{job} writes plaintext that everybody can read who reads the table. Go on?"))?)
}

/// The approval that was typed. An unseal that has one already goes on with it.
fn approval(command: &RunJob, status: &Status) -> Result<Option<Approval>, Failure> {
    let parsed = |text: &str| {
        let (name, values) = text.rsplit_once('=')?;
        Some((name.to_owned(), values.parse().ok()?))
    };
    match (status.operation, &command.approval) {
        (Operation::Unseal, Some(text)) => match parsed(text) {
            Some((name, values)) => Ok(Some(Approval::new(name, values)?)),
            None => usage("--approval must be NAME=VALUES, such as CHG-1234=10000"),
        },
        (Operation::Unseal, None) if status.approvals.is_empty() => usage(
            "unseal needs --approval NAME=VALUES: how many values may be opened, and under which name that was approved",
        ),
        (_, None) => Ok(None),
        (_, Some(_)) => usage("--approval is for unseal: add-subject hands out no value"),
    }
}
