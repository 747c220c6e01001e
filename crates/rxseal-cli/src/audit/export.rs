//! `rxseal audit export`: events for other tools.

use std::io::{BufWriter, Write as _};

use rxseal_exposure::csv_row;
use serde_json::json;

use super::events::{self, Event};
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
    let mut out = BufWriter::new(std::io::stdout().lock());
    if command.format == Form::Csv {
        out.write_all(csv_row(TITLES).as_bytes())?;
    }
    events::each(&command.log, None, |mut event| {
        if event.at() < since {
            return Ok(());
        }
        match command.format {
            Form::Csv => {
                for row in rows(&event) {
                    out.write_all(csv_row(row.iter().map(String::as_str)).as_bytes())?;
                }
            }
            Form::Json => {
                let chain = event.chain.clone();
                if let Some(members) = event.json.as_object_mut() {
                    members.insert("chain".to_owned(), json!(chain));
                }
                writeln!(out, "{}", event.json)?;
            }
        }
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// A row for each record; one for an event without records.
fn rows(event: &Event) -> Vec<[String; 18]> {
    let text = |name: &str| event.text(name).unwrap_or_default().to_owned();
    let keys = event.json.get("key").and_then(|keys| keys.as_array()).into_iter().flatten();
    let keys = keys.filter_map(|key| key.as_str()).collect::<Vec<_>>().join(" ");
    let classes = event.classes().collect::<Vec<_>>().join(" ");
    let row = |record: Option<&str>, patient: Option<&str>| {
        [
            events::shown(event.at()),
            event.chain.clone(),
            event.n.to_string(),
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
            event.inner("to", "name").unwrap_or_default().to_owned(),
            text("what"),
            text("why"),
        ]
    };
    let rows: Vec<_> = event.records().map(|(record, patient)| row(record, patient)).collect();
    if rows.is_empty() { vec![row(None, None)] } else { rows }
}
