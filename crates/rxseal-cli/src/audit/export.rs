//! `rxseal audit export`: events for other tools.

use std::io::{BufWriter, Write as _};

use rxseal_exposure::csv_row;
use rxseal_watch::LoggedEvent;

use super::events::{self, inner};
use super::fhir::AuditEvents;
use crate::args::{Export, Form};
use crate::failure::Failure;

/// The members of a row: one for each record of an event.
const TITLES: [&str; 18] = [
    "time",
    "chain",
    "n",
    "event",
    "keyspace",
    "actor",
    "purpose",
    "request",
    "record_type",
    "record",
    "patient",
    "classes",
    "keys",
    "outcome",
    "break_glass",
    "recipient",
    "what",
    "reason",
];

pub fn run(command: &Export) -> Result<(), Failure> {
    let since = events::since(command.since);
    let mut audit_events = AuditEvents::default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    if command.format == Form::Csv {
        out.write_all(csv_row(TITLES).as_bytes())?;
    }
    events::each(&command.log, None, |event| {
        // The program that wrote a chain is in its first line.
        let resources = if command.format == Form::Fhir { audit_events.of(&event)? } else { Vec::new() };
        if event.time() < since {
            return Ok(());
        }
        match command.format {
            Form::Csv => {
                for row in rows(&event) {
                    out.write_all(csv_row(row.iter().map(String::as_str)).as_bytes())?;
                }
            }
            Form::Fhir => {
                for resource in resources {
                    writeln!(out, "{resource}")?;
                }
            }
            Form::Json => writeln!(out, "{}", events::with_chain(&event))?,
        }
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// A row for each record; one for an event without records.
fn rows(event: &LoggedEvent) -> Vec<[String; 18]> {
    let text = |name: &str| event.text(name).unwrap_or_default().to_owned();
    let keys = event.keys().collect::<Vec<_>>().join(" ");
    let classes = event.classes().collect::<Vec<_>>().join(" ");
    let row = |record: Option<&str>, patient: Option<&str>| {
        [
            events::shown(event.time()),
            event.chain().to_string(),
            event.number().to_string(),
            text("e"),
            text("ks"),
            text("who"),
            text("pou"),
            text("req"),
            text("rt"),
            record.unwrap_or_default().to_owned(),
            patient.or(event.text("sub")).unwrap_or_default().to_owned(),
            classes.clone(),
            keys.clone(),
            text("out"),
            text("btg"),
            inner(event, "to", "name").unwrap_or_default().to_owned(),
            text("what"),
            text("why"),
        ]
    };
    let rows: Vec<_> = event.records().map(|(record, patient)| row(record, patient)).collect();
    if rows.is_empty() { vec![row(None, None)] } else { rows }
}
