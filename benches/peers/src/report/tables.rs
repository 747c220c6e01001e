//! The tables of a report.

use comfy_table::{Cell, CellAlignment, Table};

use super::Direction::{Open, Seal};
use super::{Report, Row};
use crate::lock;
use crate::machine as this_machine;
use crate::peers::{Binding, Bound, name};
use crate::record::{COUNT, FIELDS, SHORT_NAME, plain_bytes};

pub fn time(report: &Report) -> Table {
    let mut table = headed([
        "what",
        "stored as",
        "seal, ns",
        "open, ns",
        "seal / rxseal",
        "open / rxseal",
        "seal / floor",
        "open / floor",
        "binds",
    ]);
    for row in &report.rows {
        let floor = row.facts.floor.unwrap_or_default();
        table.add_row([
            Cell::new(row.facts.name),
            Cell::new(row.facts.form),
            number(format!("{:.0}", row.times.seal.median)),
            number(format!("{:.0}", row.times.open.median)),
            ratio(report.ratio(row, name::RXSEAL.text, Seal)),
            ratio(report.ratio(row, name::RXSEAL.text, Open)),
            ratio(report.ratio(row, floor, Seal)),
            ratio(report.ratio(row, floor, Open)),
            Cell::new(row.facts.binding.map(binds).unwrap_or_default()),
        ]);
    }
    table
}

pub fn footprint(report: &Report) -> Table {
    let fields = FIELDS.map(|(id, value)| format!("{} ({})", id.trim_start_matches("bench."), value.len()));
    let mut head = vec!["bytes stored for (bytes of text)".to_owned(), "stored as".into()];
    head.extend(fields);
    head.push(format!("record ({})", plain_bytes()));
    head.push("added per field".into());
    head.push(format!("a name ({})", SHORT_NAME.len()));
    head.extend(["allocations to seal", "to open"].map(String::from));
    let mut table = headed(head);
    // A floor stores as many bytes as rxseal does, because it was made so.
    for row in report.rows.iter().filter(|row| row.facts.binding.is_some()) {
        let footprint = row.footprint;
        let mut cells = vec![Cell::new(row.facts.name), Cell::new(row.facts.form)];
        cells.extend(footprint.fields.map(number));
        cells.push(number(footprint.record()));
        cells.push(number(format!("{:.1}", (footprint.record() - plain_bytes()) as f64 / COUNT as f64)));
        cells.push(number(footprint.short_name));
        cells.push(number(footprint.seal_allocations));
        cells.push(number(footprint.open_allocations));
        table.add_row(cells);
    }
    table
}

pub fn binding(report: &Report) -> Table {
    let mut table =
        headed(["what", "tenant", "record", "field", "key id", "the key id is", "keys", "random bytes", "wipes"]);
    let mut shown = Vec::new();
    for Row { facts, .. } in &report.rows {
        // All forms of one peer have the same binding.
        let Some(binding) =
            facts.binding.filter(|binding| !shown.contains(&(facts.package, facts.primitive, binding.keys)))
        else {
            continue;
        };
        shown.push((facts.package, facts.primitive, binding.keys));
        let bound = [binding.tenant, binding.record, binding.field, binding.key_id];
        let [tenant, record, field, key_id] = bound.map(in_words);
        table.add_row([
            facts.name,
            tenant,
            record,
            field,
            key_id,
            binding.key_id_at,
            binding.keys,
            binding.random,
            binding.wipes,
        ]);
    }
    table
}

pub fn versions(report: &Report) -> Table {
    let mut table = headed(["crate", "version", "its AES-256-GCM", "version"]);
    let mut shown = Vec::new();
    for Row { facts, .. } in &report.rows {
        let pair = (facts.package, facts.primitive);
        if facts.binding.is_none() || shown.contains(&pair) {
            continue;
        }
        shown.push(pair);
        let primitive = lock::dependency_version(facts.package, facts.primitive);
        table.add_row([facts.package, lock::version(facts.package), facts.primitive, primitive]);
    }
    for primitive in ["aes-gcm", "ring", "aws-lc-rs"] {
        let version = lock::dependency_version("rxseal-peers", primitive);
        table.add_row(["(floor)", "", primitive, version]);
    }
    table
}

pub fn machine(_: &Report) -> Table {
    let mut table = headed(["", ""]);
    for (what, value) in this_machine::describe() {
        table.add_row([what, &value]);
    }
    table
}

pub fn headed<I: IntoIterator<Item: Into<Cell>>>(names: I) -> Table {
    let mut table = Table::new();
    table.set_header(names.into_iter().map(Into::into).collect::<Vec<Cell>>());
    table
}

pub fn number(value: impl ToString) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

pub fn ratio(value: Option<f64>) -> Cell {
    number(value.map(|value| format!("{value:.2}")).unwrap_or_default())
}

/// What a field is bound to, in a few words.
fn binds(binding: Binding) -> String {
    let places =
        [(binding.tenant, "tenant"), (binding.record, "record"), (binding.field, "field"), (binding.key_id, "key id")];
    let those = |wanted: Bound| {
        let names: Vec<_> = places.iter().filter(|(bound, _)| *bound == wanted).map(|(_, name)| *name).collect();
        names.join(", ")
    };
    let kinds = [(Bound::Yes, ""), (Bound::ByKey, " by its key"), (Bound::ByCaller, " by the caller's AAD")];
    let said = kinds.map(|(bound, how)| (those(bound), how));
    let said: Vec<_> =
        said.iter().filter(|(names, _)| !names.is_empty()).map(|(names, how)| format!("{names}{how}")).collect();
    said.join("; ")
}

fn in_words(bound: Bound) -> &'static str {
    match bound {
        Bound::Yes => "yes",
        Bound::ByCaller => "by the caller's AAD",
        Bound::IfCaller => "only if the caller's AAD has it",
        Bound::ByKey => "by its key",
        Bound::No => "no",
    }
}
