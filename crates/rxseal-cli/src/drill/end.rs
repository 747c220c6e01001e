//! How a drill ends: its page, its line in the log, its answer and the exit status.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use rxseal_watch::ToolRun;
use serde_json::{Value, json};

use super::answer::{Answer, Verdict};
use super::bench::Bench;
use super::page::page;
use super::undecided::Undecided;
use crate::audit::log::failed;
use crate::failure::Failure;
use crate::output::{Output, digest, digest_of_line, now, table};

/// Writes the page and the log, and prints it. Fails unless the drill passed.
pub fn end<const N: usize>(answer: &Answer<N>, bench: &Bench, output: &Output) -> Result<(), Failure> {
    let (verdict, made_at) = (answer.verdict(), now());
    let value = as_json(answer, bench, made_at);
    let written = match &bench.page {
        Some(path) => {
            let html = page(answer, bench, made_at);
            write_new(path, &html).map(|()| digest(&html))
        }
        None => Ok(digest_of_line(&value)),
    };
    // The log says how the drill ended, whether there is a page or not.
    let logged = tell(answer, bench, written.as_ref().ok().copied(), output);
    output.say(&as_text(answer), &value)?;
    match verdict {
        Verdict::Passed => {}
        Verdict::Failed => {
            return Err(Failure::Checked(format!("the drill failed in {} things", answer.faults.len())));
        }
        Verdict::Undecided => {
            let text =
                format!("{} things could not be tried, so the drill proves nothing of them", answer.undecided.len());
            return Err(Failure::Coded("undecided", text));
        }
    }
    written?;
    logged
}

fn as_text<const N: usize>(answer: &Answer<N>) -> String {
    let mut lines = vec![table(answer.titles, answer.rows.iter().cloned())];
    lines.extend(answer.faults.iter().map(|fault| format!("failed  {}  {}: {}", fault.code, fault.of, fault.text)));
    lines.extend(answer.undecided.iter().map(Undecided::as_text));
    lines.push(format!("{}: {}", answer.verdict().as_str(), answer.summary));
    lines.join("\n")
}

fn as_json<const N: usize>(answer: &Answer<N>, bench: &Bench, made_at: u64) -> Value {
    let faults = answer.faults.iter().map(|fault| json!({ "code": fault.code, "of": fault.of, "text": fault.text }));
    let rings = bench.rings.iter().map(|ring| json!({ "keyspace": ring.keyspace(), "generation": ring.generation() }));
    let mut value = json!({
        "drill": answer.drill, "verdict": answer.verdict().as_str(), "at": made_at, "by": bench.who, "map": hex::encode(bench.map.digest()),
        "keyrings": rings.collect::<Vec<_>>(), "faults": faults.collect::<Vec<_>>(),
        "undecided": answer.undecided.iter().map(Undecided::as_json).collect::<Vec<_>>(),
    });
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), &answer.value) {
        value.extend(more.clone());
    }
    value
}

/// One event for each keyspace.
fn tell<const N: usize>(
    answer: &Answer<N>,
    bench: &Bench,
    written: Option<[u8; 32]>,
    output: &Output,
) -> Result<(), Failure> {
    let run = ToolRun::drill(&bench.who, answer.drill, answer.verdict().as_str()).map_err(failed)?;
    let run = answer.figures.iter().fold(run.map(*bench.map.digest()), |run, (name, count)| run.number(name, *count));
    let run = match written {
        Some(digest) => run.wrote(digest),
        None => run,
    };
    for ring in &bench.rings {
        let of = answer.of_keyspaces.iter().filter(|(keyspace, _)| keyspace == ring.keyspace());
        let run = run.clone().keyspace(ring.keyspace());
        let run = of.flat_map(|(_, figures)| figures).fold(run, |run, (name, count)| run.number(name, *count));
        bench.config.journal.ran(&run, output)?;
    }
    Ok(())
}

/// A page that is there is never written over.
fn write_new(path: &Path, html: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(html.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display())))
}
