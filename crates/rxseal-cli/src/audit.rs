//! `rxseal audit`.

mod disclosures;
pub mod events;
mod export;
mod fhir;
pub mod log;
mod review;

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rxseal_watch::verify::{Finding, Verdict, Verifier};
use rxseal_watch::{LoggedEvent, SigningKey, VerifierKey};
use serde_json::{Value, json};

use crate::args::{Audit, Export, Filter, Global};
use crate::failure::{Failure, usage};
use crate::output::{Output, time};
use log::Log;
pub use log::failed;

pub fn run(global: &Global, command: Audit, output: &Output) -> Result<(), Failure> {
    match command {
        Audit::Verify { log, keys, checkpoints, kms_log } => {
            let mut verifier = Verifier::new(verifier_keys(&keys)?);
            if let Some(checkpoints) = checkpoints {
                verifier = verifier.checkpoints(checkpoints).map_err(failed)?;
            }
            if let Some(kms_log) = kms_log {
                verifier = verifier.kms_log(kms_log).map_err(failed)?;
            }
            verify(&verifier, &log, output)
        }
        Audit::Show { log, filter } => show(&log, None, &filter, output),
        Audit::Accesses { log, subject, filter } => show(&log, Some(&subject), &filter, output),
        Audit::Ddl { writer, reader } => ddl(&writer, &reader, output),
        Audit::Disclosures(command) => disclosures::run(&command, output),
        Audit::Review(command) => review::run(global, &command, output),
        Audit::Export(Export { log, to: Some(to), .. }) => export(&log, &to, output),
        Audit::Export(command) => export::run(&command),
        Audit::Keygen { name, out } => keygen(&name, &out, output),
    }
}

/// Keys as they were typed, or the lines of a file.
pub fn verifier_keys(texts: &[String]) -> Result<Vec<VerifierKey>, Failure> {
    let mut keys = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(key) => keys.push(key),
            Err(_) if Path::new(text).is_file() => {
                for line in fs::read_to_string(text)?.lines().filter(|line| !line.trim().is_empty()) {
                    keys.push(line.trim().parse().map_err(failed)?);
                }
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(keys)
}

fn verify(verifier: &Verifier, log: &Path, output: &Output) -> Result<(), Failure> {
    let report = Log::open(log)?.verify(verifier).map_err(failed)?;
    let word = |verdict| match verdict {
        Verdict::Whole => "whole",
        Verdict::Incomplete => "incomplete",
        Verdict::Tampered => "tampered",
    };
    let as_json = |finding: &Finding| {
        json!({
            "code": finding.code(), "verdict": word(finding.verdict()), "chain": finding.chain().map(|chain| chain.to_string()),
            "line": finding.line(), "text": finding.to_string(),
        })
    };
    let verdict = word(report.verdict());
    let mut text = format!("{verdict}: {} events in {} chains", report.events(), report.chains());
    for finding in report.findings() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}: {finding}", finding.code());
    }
    let findings: Vec<_> = report.findings().iter().map(as_json).collect();
    let (chains, events, bytes) = (report.chains(), report.events(), report.bytes());
    output.say(
        &text,
        &json!({ "verdict": verdict, "chains": chains, "events": events, "bytes": bytes, "findings": findings }),
    )?;
    match report.verdict() {
        Verdict::Whole => Ok(()),
        Verdict::Tampered => Err(Failure::Coded("tampered", "somebody changed this log".to_owned())),
        Verdict::Incomplete => Err(Failure::Coded("incomplete", "events may be missing from this log".to_owned())),
    }
}

/// Prints the events that a filter lets through; of one patient, if there is one.
fn show(log: &Path, patient: Option<&str>, filter: &Filter, output: &Output) -> Result<(), Failure> {
    let since = events::since(filter.since);
    let mut printed = 0_u64;
    events::each(log, patient, |event| {
        let Some(event) = let_through(&event, patient, filter, since) else { return Ok(()) };
        printed = printed.saturating_add(1);
        print(&event, output)
    })?;
    if printed == 0 {
        output.note("no event is like that");
    }
    Ok(())
}

/// The event, if it is one that was asked for. Of a patient, it has the records of that patient alone.
fn let_through(event: &LoggedEvent, patient: Option<&str>, filter: &Filter, since: u64) -> Option<Value> {
    let is_like = filter.actor.as_deref().is_none_or(|actor| event.text("who") == Some(actor))
        && (!filter.break_glass || event.text("btg").is_some())
        && (!filter.failed || event.text("out").is_some_and(|outcome| outcome != "ok"))
        && event.time() >= since;
    let is_of = patient.is_none_or(|patient| event.kind() == "open" && event.patients().any(|other| other == patient));
    let mut event = (is_like && is_of).then(|| events::with_chain(event))?;
    let Some(patient) = patient else { return Some(event) };
    let records = event.get_mut("rec").and_then(Value::as_array_mut)?;
    records.retain(|record| {
        let id = |at: usize| record.get(at).and_then(Value::as_str);
        id(1).or(id(0)) == Some(patient)
    });
    Some(event)
}

fn print(event: &Value, output: &Output) -> Result<(), Failure> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or("-");
    let seconds = event.get("t").and_then(Value::as_u64).unwrap_or(0) / 1000;
    let record = |record: &Value| {
        let ids = record.as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.collect::<Vec<_>>().join(" of ")
    };
    let records = event.get("rec").and_then(Value::as_array);
    let records = records.map(|records| records.iter().map(record).collect::<Vec<_>>().join(", ")).unwrap_or_default();
    let classes = event.get("cls").and_then(Value::as_object);
    let classes = classes.map(|classes| classes.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default();
    let what = ["rt", "what", "ks"].into_iter().map(text).find(|text| *text != "-").unwrap_or("-");
    let shown = [
        format!("{} {} {} {} {what} {records}", time(seconds), text("e"), text("who"), text("pou")),
        if classes.is_empty() { String::new() } else { format!(" ({classes})") },
        if text("out") == "-" { String::new() } else { format!(" {}", text("out")) },
        if text("btg") == "-" { String::new() } else { format!(", glass broken: {}", text("btg")) },
    ];
    Ok(output.say(&shown.concat(), event)?)
}

#[cfg(feature = "postgres")]
fn ddl(writer: &str, reader: &str, output: &Output) -> Result<(), Failure> {
    let grants = rxseal_watch::PostgresLog::grants(writer, reader).map_err(failed)?;
    let sql = format!("{}\n{}", rxseal_watch::PostgresLog::SCHEMA, grants.trim_end());
    Ok(output.say(&sql, &json!({ "sql": sql }))?)
}

#[cfg(not(feature = "postgres"))]
fn ddl(_: &str, _: &str, _: &Output) -> Result<(), Failure> {
    crate::not_built::postgres::log()
}

fn export(log: &Path, to: &Path, output: &Output) -> Result<(), Failure> {
    Log::open(log)?.export(to)?;
    output.done(true, &format!("the log is in {}", to.display()), &json!({ "folder": to }))
}

fn keygen(name: &str, out: &Path, output: &Output) -> Result<(), Failure> {
    let public = out.with_extension("pub");
    if public == out {
        return usage(
            "--out is the file of the secret key: give it another ending than .pub, which the public one gets",
        );
    }
    let key = SigningKey::generate(name).map_err(failed)?;
    let verifier = key.verifier().to_string();
    // The public one first: a secret key without it would sign what nobody verifies.
    write_new(&public, 0o644, &verifier)?;
    if let Err(failure) = write_new(out, 0o600, &key.expose_text()) {
        drop(fs::remove_file(&public));
        return Err(failure);
    }
    output.done(true, &verifier, &json!({ "verifier": verifier, "file": out, "public_file": public }))
}

/// Writes a line into a file that does not exist yet.
fn write_new(path: &Path, mode: u32, line: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Coded("io", format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all()).map_err(failed)
}
