//! The approvals of a job that unseals, as both databases keep them.

use rxseal::Error;

use crate::progress::ApprovalUse;
use crate::spec::Operation;
use crate::trouble::refused;
use crate::work::Approval;

/// Whether an approval may be added to a job of this operation, which has these. Nothing is added if it is there already.
pub(crate) fn admit(operation: Operation, there: &[ApprovalUse], approval: &Approval) -> Result<(), Error> {
    if operation != Operation::Unseal {
        return Err(refused(format!("only an unseal has approvals, and this job is a {operation}")));
    }
    match there.iter().find(|approved| approved.name == approval.name()) {
        Some(approved) if approved.values != approval.values() => Err(refused(format!(
            "the job has the approval {} for {} values already: for more there must be another approval, with a name of its own",
            approved.name, approved.values
        ))),
        _ => Ok(()),
    }
}

/// The approval that a worker opens under: the one that it names, or the last that was approved.
pub(crate) fn of_worker(named: Option<&str>, there: &[ApprovalUse]) -> Result<String, Error> {
    let found = match named {
        Some(named) => there.iter().find(|approved| approved.name == named),
        None => there.last(),
    };
    found.map(|approved| approved.name.clone()).ok_or_else(missing)
}

/// The job has no approval, or not the one that a worker named.
pub(crate) fn missing() -> Error {
    let text = "the job has no such approval, and it unseals only what was approved: add one with `Job::approve`, or `rxseal job run --approval`";
    refused(text)
}

/// Why the next rows are not opened.
pub(crate) fn spent(name: &str, left: u64, values: u64) -> Error {
    refused(format!(
        "the approval {name} is used up: {left} values are left, and the next rows have {values}. For more there must be another approval"
    ))
}
