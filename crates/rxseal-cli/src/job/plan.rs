//! `rxseal job plan`.

use rxseal_jobs::{DeclaredWork, Operation, PlanOptions, Preflight, Weight};
use rxseal_map::{At, Map, Source};
use serde_json::{Value, json};

use super::ask::{can_ask, says_yes};
use super::database::Database;
use super::shown;
use super::source::{Desk, Planned};
use crate::args::{JobOperation, PlanJob};
use crate::failure::{Failure, usage};
use crate::output::Output;

pub async fn plan(desk: &Desk, command: &PlanJob, output: &Output) -> Result<(), Failure> {
    let source = source_of(&desk.map, command.at.as_deref(), command.record.as_deref())?;
    let Some(database) = desk.database(source)? else {
        return usage(&format!("{} is no table: a job works on tables", source.name()));
    };
    let Planned { spec, record, keys } = desk.planned(source, command.op.into(), output).await?;
    // What the command cannot do is said before anything is stored.
    DeclaredWork::new(&spec, &record, &keys)?;
    let mut options = PlanOptions::default();
    options.chunk_rows = command.chunk_rows;
    options.named = neighbours(&desk.map, source);
    options.accepted.clone_from(&command.accepted);
    let found = database.preflight(&spec, &options.named).await?;
    let name = match &command.job {
        Some(name) => name.clone(),
        None => free_name(&database, &spec).await?,
    };
    let answer = Shown { name: &name, found: &found, operation: spec.operation() };
    if output.is_json() {
        accept(&found, &mut options.accepted, false).or_else(|failure| answer.refused(failure, output))?;
    } else {
        // The questions are about what is above them.
        output.say(&answer.text(), &Value::Null)?;
        accept(&found, &mut options.accepted, !command.dry_run)?;
    }
    if command.dry_run {
        return if output.is_json() { Ok(output.say("", &answer.value(None))?) } else { Ok(()) };
    }
    let status = database.plan(&name, &spec, &options).await?.status().await?;
    let rows = shown::grouped(status.rows_total);
    let text =
        format!("planned {name}: {rows} rows in {} chunks. Start it with `rxseal job run {name}`", status.chunks);
    output.done(true, &text, &answer.value(Some(&json!(status))))
}

/// The source that was named, or the only one.
fn source_of<'m>(map: &'m Map, at: Option<&str>, record: Option<&str>) -> Result<&'m Source, Failure> {
    let is_named = |source: &&Source| {
        at.is_none_or(|at| source.name() == at) && record.is_none_or(|record| source.record() == record)
    };
    let named: Vec<_> = map.sources().iter().filter(is_named).collect();
    let listed = |sources: &[&Source]| {
        let sources = sources.iter().map(|source| format!("{} ({})", source.name(), source.record()));
        sources.collect::<Vec<_>>().join(", ")
    };
    match &*named {
        [only] => Ok(only),
        [] => {
            let all: Vec<_> = map.sources().iter().collect();
            usage(&format!("the map has no such source. It has {}", listed(&all)))
        }
        several => {
            let sources = listed(several);
            usage(&format!(
                "the map has several sources: name one with --at, and with --record if its table has several. They are {sources}"
            ))
        }
    }
}

/// The other tables of the same database that the map names.
fn neighbours(map: &Map, source: &Source) -> Vec<String> {
    let is_beside = |other: &At| match (source.at(), other) {
        (At::Sqlite { file: one, .. }, At::Sqlite { file: other, .. }) => one == other,
        (At::Postgres { .. }, At::Postgres { .. }) => true,
        _ => false,
    };
    let others = map.sources().iter().filter(|other| other.name() != source.name() && is_beside(other.at()));
    others.filter_map(|other| other.at().table()).map(str::to_owned).collect()
}

/// The operation, the table and the first number that is free.
async fn free_name(database: &Database, spec: &rxseal_jobs::Spec) -> Result<String, Failure> {
    let jobs = database.jobs().await?;
    let table = spec.table().replace(|char: char| !char.is_ascii_alphanumeric(), "-");
    let names = (1_u32..).map(|number| format!("{}-{}-{number}", spec.operation(), table.trim_matches('-')));
    let free = |name: &String| !jobs.iter().any(|status| status.job == *name);
    Ok(names.into_iter().find(free).unwrap_or_default())
}

/// Asks about each concern that is open, and adds what is accepted.
fn accept(found: &Preflight, accepted: &mut Vec<String>, may_ask: bool) -> Result<(), Failure> {
    let already = accepted.clone();
    let open: Vec<_> = found.open_concerns(&already).collect();
    if let Some(refusal) = open.iter().find(|concern| concern.weight() == Weight::Refuses) {
        return Err(Failure::Coded("job-refused", format!("{}: {refusal}", found.table())));
    }
    let mut left = Vec::new();
    for concern in open {
        if may_ask && can_ask() && says_yes(&format!("Accept {}?", concern.answer()))? {
            accepted.push(concern.answer());
        } else {
            left.push(concern.answer());
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let options: Vec<_> = left.iter().map(|answer| format!("--accept {answer}")).collect();
    let text =
        format!("the plan asks about concerns: if you have looked at what it says of them, use {}", options.join(" "));
    Err(Failure::Coded("job-refused", text))
}

/// The answer of the command.
struct Shown<'s> {
    name: &'s str,
    found: &'s Preflight,
    operation: Operation,
}

impl Shown<'_> {
    fn text(&self) -> String {
        let what = match self.operation {
            Operation::Backfill => "seals the plaintext of",
            Operation::Reseal => "moves to the primary key all tokens of",
            Operation::Reindex => "computes again the index values of",
            Operation::Unseal => "writes PLAINTEXT in place of the tokens of",
            Operation::AddSubject => "seals again, with the patients' own keys, all tokens of",
            _ => "works on",
        };
        format!("{} {what}\n{}", self.name, self.found)
    }

    fn value(&self, status: Option<&Value>) -> Value {
        json!({ "job": self.name, "operation": self.operation, "preflight": shown::preflight(self.found), "status": status })
    }

    /// A program gets the concerns although the plan is refused.
    fn refused(&self, failure: Failure, output: &Output) -> Result<(), Failure> {
        output.say("", &self.value(None))?;
        Err(failure)
    }
}

impl From<JobOperation> for Operation {
    fn from(operation: JobOperation) -> Self {
        match operation {
            JobOperation::Backfill => Self::Backfill,
            JobOperation::Reseal => Self::Reseal,
            JobOperation::Reindex => Self::Reindex,
            JobOperation::Unseal => Self::Unseal,
            JobOperation::AddSubject => Self::AddSubject,
        }
    }
}
