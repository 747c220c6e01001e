//! Jobs as people read them.

use indicatif::HumanCount;
use rxseal_jobs::{ChunkDone, Concern, Counts, Ended, Estimate, Fault, Preflight, Status};
use serde_json::{Value, json};

use crate::output::table;

pub fn list(jobs: &[Status]) -> String {
    let rows = jobs.iter().map(|job| {
        let operation = job.operation.to_string();
        [job.job.clone(), operation, job.at.clone(), job.state.to_string(), share(job), job.faults.to_string()]
    });
    table(["job", "operation", "source", "state", "rows", "faults"], rows)
}

pub fn status(job: &Status) -> String {
    let Status { counts, .. } = job;
    let mut rows = vec![
        ["job".to_owned(), job.job.clone()],
        ["operation".to_owned(), job.operation.to_string()],
        ["source".to_owned(), job.at.clone()],
        ["planned".to_owned(), job.created.clone()],
        ["state".to_owned(), job.state.to_string()],
        ["rows".to_owned(), share(job)],
        ["chunks".to_owned(), format!("{} of {}", grouped(job.chunks_done.into()), grouped(job.chunks.into()))],
    ];
    rows.extend(counted(counts));
    rows.push(["faults".to_owned(), grouped(job.faults)]);
    let approvals = job.approvals.iter().map(|approval| {
        let opened = format!("{} of {} values opened", grouped(approval.opened), grouped(approval.values));
        [format!("approval {}", approval.name), opened]
    });
    rows.extend(approvals);
    pairs(rows)
}

/// Names and what they are, without titles.
fn pairs(rows: Vec<[String; 2]>) -> String {
    let text = table(["", ""], rows);
    text.split_once('\n').map_or(String::new(), |(_, rows)| rows.to_owned())
}

/// How many rows are done, of how many.
fn share(job: &Status) -> String {
    format!("{} of {}", grouped(job.counts.rows), grouped(job.rows_total))
}

/// What was done to rows and values.
fn counted(counts: &Counts) -> impl Iterator<Item = [String; 2]> {
    let Counts { written, skipped, retried, failed, sealed, unsealed, .. } = *counts;
    let counts = [
        ("written", written),
        ("unchanged", skipped),
        ("read again", retried),
        ("left as they were", failed),
        ("values sealed", sealed),
        ("values unsealed", unsealed),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| [what.to_owned(), grouped(count)])
}

/// What a finished job found.
pub fn ended(job: &Status, ended: &Ended) -> String {
    let mut rows = vec![["rows read".to_owned(), grouped(job.counts.rows)]];
    rows.extend(counted(&job.counts));
    rows.push(["plaintext left".to_owned(), grouped(ended.plaintext)]);
    rows.push(["tokens under the job's key".to_owned(), grouped(ended.under_target)]);
    rows.extend(ended.under_others.iter().map(|(key, tokens)| [format!("tokens under {key}"), grouped(*tokens)]));
    rows.push(["values that are null".to_owned(), grouped(ended.nulls)]);
    for (what, count) in [
        ("rows of no keyspace", ended.rows_without_keyspace),
        ("rows of other keyspaces", ended.rows_of_other_keyspaces),
    ] {
        if count > 0 {
            rows.push([what.to_owned(), grouped(count)]);
        }
    }
    let what = if ended.is_clean() { "done".to_owned() } else { format!("not done: {}", ended.left.join("; ")) };
    format!("{}: {what}\n\n{}", job.job, pairs(rows))
}

pub fn faults(faults: &[Fault]) -> String {
    let rows = faults
        .iter()
        .map(|fault| [fault.row_id.clone(), fault.field.clone(), fault.reason.to_string(), fault.chunk.to_string()]);
    table(["row", "field", "reason", "chunk"], rows)
}

/// What a preflight found, for programs.
pub fn preflight(preflight: &Preflight) -> Value {
    let estimate = preflight.estimate().map(|estimate: &Estimate| {
        json!({
            "rows": estimate.rows(), "bytes": estimate.size(), "wal_bytes": estimate.wal(), "growth_bytes": estimate.growth(),
            "bytes_after": estimate.size_after(),
        })
    });
    let concerns: Vec<_> = preflight.concerns().iter().map(concern).collect();
    json!({ "table": preflight.table(), "concerns": concerns, "estimate": estimate })
}

fn concern(concern: &Concern) -> Value {
    json!({
        "weight": concern.weight().as_str(), "kind": concern.kind().as_str(), "column": concern.about_column(),
        "object": concern.about_object(), "accept": concern.answer(), "text": concern.to_string(),
    })
}

/// How far a job is, for programs that follow it.
pub fn progress(status: &Status, last: Option<&ChunkDone>) -> Value {
    json!({ "progress": status, "chunk": last.map(|done| json!({
        "no": done.no, "rows": done.counts.rows, "ms": millis(done.took.as_millis()), "locked_ms": millis(done.held.as_millis()),
    })) })
}

fn millis(millis: u128) -> u64 {
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// A number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}
