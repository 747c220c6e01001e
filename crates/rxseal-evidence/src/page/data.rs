//! The part of the page about data: where it lies, and what of it is sealed.

use std::collections::BTreeMap;

use rxseal_html::{Page, Table, Text};

use super::rows::{MAX_ROWS, say_more};
use crate::facts::Facts;
use crate::map::SourceFacts;
use crate::stated::Topic;

pub(super) fn write(page: &mut Page, facts: &Facts) {
    page.heading("Where data lies, and what of it is sealed");
    if facts.map.sources.is_empty() {
        page.nothing("The map names no source.");
    } else {
        let mut table = Table::new(["Source", "Sealed", "Readable", "Indexed"]);
        for source in facts.map.sources.iter().take(MAX_ROWS) {
            table.row([(&*source.name).into(), sealed(source), readable(source), indexed(source)]);
        }
        page.table(&table);
        say_more(page, facts.map.sources.len());
    }
    let mut rows = Vec::new();
    if facts.map.sources.iter().any(|source| source.at == "file") {
        rows.push(("Files of the map, observed", facts.made_on.clone()));
    }
    for host in &facts.data_hosts {
        let host = if host.is_empty() { "this machine" } else { host };
        rows.push(("The database, observed", host.to_owned()));
    }
    for statement in facts.stated.iter().filter(|statement| statement.topic != Topic::Apart) {
        let topic = match statement.topic {
            Topic::DataAt => "The data",
            Topic::RootKeysAt => "The root keys",
            Topic::KeyringsAt => "The keyrings",
            Topic::BackupsAt => "The backups",
            Topic::Observed => "Every program keeps an audit log",
            Topic::Apart => continue,
        };
        rows.push((topic, format!("{} (stated by {})", statement.text, statement.by)));
    }
    if !rows.is_empty() {
        page.facts(rows);
    }
    page.small(format!("The map has the SHA-256 {}, the schema {}.", facts.map.sha256, facts.map.schema_sha256));
}

/// `5 fields: identity 2, medication 3; a record tag`
fn sealed(source: &SourceFacts) -> Text {
    let mut classes = BTreeMap::<_, usize>::new();
    for field in &source.sealed {
        let count = classes.entry(field.class.as_deref().unwrap_or("class unknown")).or_default();
        *count = count.saturating_add(1);
    }
    let classes: Vec<_> = classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
    let tag = if source.tag.is_some() { "; a record tag" } else { "" };
    match source.sealed.len() {
        0 => format!("nothing{tag}").into(),
        1 => format!("1 field: {}{tag}", classes.join(", ")).into(),
        many => format!("{many} fields: {}{tag}", classes.join(", ")).into(),
    }
}

/// `filled_at (date), refills (none)`
fn readable(source: &SourceFacts) -> Text {
    let clear: Vec<_> = source.clear.iter().map(|clear| format!("{} ({})", clear.place, clear.kind)).collect();
    if clear.is_empty() { "nothing".into() } else { clear.join(", ").into() }
}

fn indexed(source: &SourceFacts) -> Text {
    let index: Vec<_> = source.index.iter().map(|of| format!("{} ({})", of.place, of.index)).collect();
    if index.is_empty() { "nothing".into() } else { index.join(", ").into() }
}
