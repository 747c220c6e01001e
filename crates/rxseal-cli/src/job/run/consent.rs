//! What an operation that opens fields needs beside the keys: who, why, a file that tells of it, and a budget.

use std::sync::Arc;

use rxseal::{Access, Purpose};
use rxseal_jobs::{Budget, ChunkWork, DeclaredWork, Operation};

use crate::args::RunJob;
use crate::failure::{Failure, usage};
use crate::job::ask::{can_ask, says_yes};
use crate::job::audit::AuditFile;
use crate::job::source::{Desk, Planned};

/// What was said of openings. The other operations hand out no plaintext, and need nothing.
pub struct Consent {
    access: Option<Access>,
    pub audit: Option<AuditFile>,
    budget: Option<Budget>,
}

impl Consent {
    pub fn of(command: &RunJob, operation: Operation) -> Result<Self, Failure> {
        let said = [command.who.is_some(), command.why.is_some(), command.audit.is_some()];
        let opens = matches!(operation, Operation::Unseal | Operation::AddSubject);
        if !opens && (said.contains(&true) || command.budget.is_some()) {
            return usage(&format!(
                "--who, --why, --audit and --budget are for jobs that open fields, and {operation} opens none"
            ));
        }
        if !opens {
            return Ok(Self { access: None, audit: None, budget: None });
        }
        let (Some(who), Some(why), Some(audit)) = (&command.who, &command.why, &command.audit) else {
            return usage(&format!(
                "{operation} opens fields: say who and why with --who and --why, and name the file that tells of it with --audit"
            ));
        };
        let access = Access::new(who, why.parse::<Purpose>()?)?;
        let budget = match (operation, &command.budget) {
            (Operation::Unseal, None) => {
                return usage(
                    "unseal needs --budget NAME=VALUES: how many values may be opened, and under which name that was approved",
                );
            }
            (Operation::Unseal, Some(text)) => Some(parse_budget(text)?),
            (_, Some(_)) => return usage("--budget is for unseal: add-subject hands out no value"),
            (_, None) => None,
        };
        if operation == Operation::Unseal && !command.yes && !asked(&command.job)? {
            return usage("unseal writes plaintext that everybody can read who reads the table: confirm with --yes");
        }
        Ok(Self { access: Some(access), audit: Some(AuditFile::open(audit, &command.job)?), budget })
    }

    /// The work on rows, with all that it needs.
    pub async fn work(self, desk: &Desk, planned: Planned) -> Result<Arc<dyn ChunkWork>, Failure> {
        let Planned { spec, record, keys } = planned;
        let mut work = DeclaredWork::new(&spec, &record, &keys)?;
        if record.subject().is_some() {
            work = work.with_subjects(desk.subjects().await?);
        }
        if let Some(access) = self.access {
            work = work.with_access(access);
        }
        if let Some(budget) = self.budget {
            work = work.with_budget(Arc::new(budget));
        }
        Ok(Arc::new(work))
    }
}

fn asked(job: &str) -> Result<bool, Failure> {
    Ok(can_ask() && says_yes(&format!("{job} writes plaintext that everybody can read who reads the table. Go on?"))?)
}

fn parse_budget(text: &str) -> Result<Budget, Failure> {
    let parsed = text.split_once('=').and_then(|(name, values)| Some((name, values.parse().ok()?)));
    match parsed.filter(|(name, _)| !name.is_empty()) {
        Some((name, values)) => Ok(Budget::new(name, values)),
        None => usage("--budget must be NAME=VALUES, such as CHG-1234=10000"),
    }
}
