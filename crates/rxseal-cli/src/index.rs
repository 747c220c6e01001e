//! `rxseal index`.

mod csv;
mod normal;
mod spec;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use rxseal_search::plan::{Figure, IndexReport, Measure, Plan, PlanReport, Refusal};
use serde_json::{Value, json};

use crate::args::Index;
use crate::failure::{Failure, usage};
use crate::output::Output;
use csv::{Reader, Row};
use spec::Spec;

pub fn run(command: &Index, output: &Output) -> Result<(), Failure> {
    let Index::Plan(command) = command;
    let specs = command.indexes.iter().map(|text| Spec::parse(text)).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = repeated(&specs) {
        return usage(&format!("the index {twice} is given twice: each needs an id of its own"));
    }
    if command.write_slots.is_some() && specs.len() != 1 {
        return usage("--write-slots writes the table of one index: give --index once");
    }
    // A file of its own, since the standard input's buffer would keep plaintext that nobody wipes.
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let columns: Vec<_> = specs.iter().flat_map(Spec::columns).collect();
    let (mut reader, positions) = Reader::new(input, &columns)?;
    let mut plan = Plan::<Row>::new(command.rows);
    let mut positions = positions.into_iter();
    let first = specs.first().map(|spec| spec.id().to_owned()).unwrap_or_default();
    for spec in specs {
        let own: Vec<_> = positions.by_ref().take(spec.columns().count()).collect();
        let (shape, write) = spec.shape(command.rows, own)?;
        plan = plan.shape(shape, write)?;
    }
    if let Some(reason) = &command.accept {
        plan = plan.accept(reason);
    }
    while let Some(row) = reader.next()? {
        plan.sample(row);
    }
    let report = plan.report();
    if let (Some(path), Some(table)) = (&command.write_slots, &command.slots_id) {
        write_slots(&plan, &first, path, table)?;
    }
    output.say(&report.to_string(), &as_json(&report))?;
    if report.is_accepted() {
        return Ok(());
    }
    Err(Failure::Checked("the plan is refused: the report says which index and why".to_owned()))
}

fn repeated(specs: &[Spec]) -> Option<String> {
    let mut ids: Vec<_> = specs.iter().map(Spec::id).collect();
    ids.sort_unstable();
    ids.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()).map(|id| (*id).to_owned())
}

fn write_slots(plan: &Plan<Row>, index: &str, path: &Path, table: &str) -> Result<(), Failure> {
    let Some(table) = plan.slot_table(index, table) else {
        return usage(
            "no slot table was written: at least 50 rows must have a form, and --slots-id must be a name with a version, such as our-names/1",
        );
    };
    let failed = |error: io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let mut file = File::options().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(table.to_string().as_bytes()).map_err(failed)?;
    Ok(())
}

fn as_json(report: &PlanReport) -> Value {
    json!({
        "rows": report.rows(), "samples": shown(report.samples()), "accepted": report.is_accepted(), "alone": shown(report.alone()),
        "refused": refused(report.refusals()), "indexes": report.indexes().iter().map(index_as_json).collect::<Vec<_>>(),
    })
}

fn index_as_json(index: &IndexReport) -> Value {
    let figures: serde_json::Map<_, _> =
        Measure::ALL.iter().map(|measure| (measure.code().to_owned(), shown(index.figure(*measure)))).collect();
    json!({
        "id": index.id(), "kind": index.profile().to_string(), "bits": index.bits(), "bits_by_rule": index.bits_by_rule(),
        "accepted": index.is_accepted(), "accepted_because": index.accepted_because(), "refused": refused(index.refusals()),
        "figures": figures,
    })
}

fn refused(refusals: &[Refusal]) -> Vec<Value> {
    refusals.iter().map(|refusal| json!({ "code": refusal.code(), "text": refusal.to_string() })).collect()
}

/// A number, or the text `<20` and its like.
fn shown(figure: Figure) -> Value {
    if figure.is_hidden() {
        return json!(figure.to_string());
    }
    // A count without a fraction.
    let whole = format!("{:.0}", figure.number()).parse::<u64>();
    if figure.number().fract() == 0.0 { json!(whole.unwrap_or(u64::MAX)) } else { json!(figure.number()) }
}
