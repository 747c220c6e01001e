//! `rxseal audit disclosures`: to whom the data of a patient was disclosed (45 CFR 164.528).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use rxseal_watch::{ChainId, LoggedEvent};
use serde_json::{Value, json};

use super::csv;
use super::events::{self, inner};
use crate::args::{Disclosures, Page};
use crate::failure::{Failure, usage};
use crate::output::{Output, table};

/// To whom, for what purpose and on what basis. Repeated disclosures are one entry (164.528(b)(3)).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct To {
    name: String,
    address: String,
    purpose: String,
    basis: String,
}

#[derive(Default)]
struct Entry {
    /// Unix milliseconds, and which event of the log it is. Several events may have one millisecond.
    first: (u64, u64),
    last: u64,
    count: u64,
    /// The one that was counted last, by its chain and first line: a large page has several lines.
    counted: Option<(ChainId, u64)>,
    classes: BTreeSet<String>,
    record_types: BTreeSet<String>,
}

pub fn run(command: &Disclosures, output: &Output) -> Result<(), Failure> {
    let Disclosures { log, subject, keyspace, since, page } = command;
    let found = gather(log, subject, keyspace.as_deref(), events::since(Some(*since)))?;
    // Those that need not be counted come last.
    let mut entries: Vec<_> = found.iter().map(|(to, entry)| (exempt(to), to, entry)).collect();
    entries.sort_by_key(|(exempt, _, entry)| (exempt.is_some(), entry.first));
    let mut out = std::io::stdout().lock();
    match page {
        Some(Page::Csv) => Ok(out.write_all(as_csv(&entries).as_bytes())?),
        Some(Page::Html) => Ok(out.write_all(as_html(subject, *since, &entries).as_bytes())?),
        None => show(subject, &entries, output),
    }
}

fn gather(log: &Path, subject: &str, keyspace: Option<&str>, since: u64) -> Result<BTreeMap<To, Entry>, Failure> {
    let (mut found, mut place) = (BTreeMap::<To, Entry>::new(), 0_u64);
    let mut keyspaces = BTreeSet::new();
    events::each(log, Some(subject), |event| {
        place = place.saturating_add(1);
        let is_of = event.time() >= since
            && event.is_seen()
            && keyspace.is_none_or(|keyspace| event.text("ks") == Some(keyspace))
            && event.patients().any(|patient| patient == subject);
        if let Some(to) = recipient(&event).filter(|_| is_of) {
            keyspaces.extend(event.text("ks").map(str::to_owned));
            let entry = found.entry(to).or_default();
            let first = (event.time(), place);
            entry.first = if entry.count == 0 { first } else { entry.first.min(first) };
            entry.last = entry.last.max(event.time());
            let this = Some((event.chain(), event.count("of").unwrap_or_else(|| event.number())));
            if entry.counted != this {
                entry.counted = this;
                entry.count = entry.count.saturating_add(1);
            }
            entry.classes.extend(event.classes().map(str::to_owned));
            entry.record_types.extend(event.text("rt").map(str::to_owned));
        }
        Ok(())
    })?;
    if keyspaces.len() > 1 {
        // One person must not get the accounting of another.
        let names = keyspaces.into_iter().collect::<Vec<_>>().join(", ");
        return usage(&format!("patients of several keyspaces have this id: choose one with --keyspace ({names})"));
    }
    Ok(found)
}

fn recipient(event: &LoggedEvent) -> Option<To> {
    let to = |name: &str| inner(event, "to", name).map(str::to_owned);
    let purpose = event.text("pou").unwrap_or_default().to_owned();
    let name = to("name")?;
    Some(To { name, address: to("address").unwrap_or_default(), purpose, basis: to("basis").unwrap_or_default() })
}

/// Why an accounting need not have it, as far as the purpose says (164.528(a)(1)). HL7 counts courts, fraud and the military as operations; HIPAA does
/// not, so they are not here.
fn exempt(to: &To) -> Option<&'static str> {
    if to.basis.to_lowercase().contains("authorization") {
        return Some("authorization");
    }
    Some(match to.purpose.as_str() {
        "TREAT" | "CLINTRL" | "COC" | "ETREAT" | "BTG" | "ERTREAT" | "POPHLTH" => "treatment",
        "HPAYMT" | "CLMATTCH" | "COVAUTH" | "COVERAGE" | "ELIGDTRM" | "ELIGVER" | "ENROLLM" | "REMITADV" => "payment",
        "HOPERAT" | "CAREMGT" | "HACCRED" | "HDM" | "HOUTCOMS" | "HQUALIMP" | "HSYSADMIN" | "LABELING" | "METAMGT"
        | "MEMADMIN" | "PATADMIN" | "PERFMSR" | "RECORDMGT" | "SYSDEV" | "HTEST" | "TRAIN" => "operations",
        "PATRQT" | "FAMRQT" | "PWATRNY" => "to the patient",
        "HDIRECT" | "SUPNWK" => "directory or care",
        _ => return None,
    })
}

type Row<'e> = (Option<&'static str>, &'e To, &'e Entry);

const TITLES: [&str; 9] =
    ["first", "last", "times", "recipient", "address", "what", "purpose", "basis", "need not be counted"];

fn cells((exempt, to, entry): &Row<'_>) -> [String; 9] {
    let join = |texts: &BTreeSet<String>| texts.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    [
        events::shown(entry.first.0),
        if entry.count > 1 { events::shown(entry.last) } else { String::new() },
        entry.count.to_string(),
        to.name.clone(),
        to.address.clone(),
        format!("{} ({})", join(&entry.classes), join(&entry.record_types)),
        to.purpose.clone(),
        to.basis.clone(),
        exempt.unwrap_or_default().to_owned(),
    ]
}

fn show(subject: &str, rows: &[Row<'_>], output: &Output) -> Result<(), Failure> {
    let as_json = |row: &Row<'_>| -> Value {
        let (exempt, to, entry) = row;
        json!({
            "first": entry.first.0, "last": entry.last, "count": entry.count, "classes": entry.classes, "record_types": entry.record_types,
            "recipient": { "name": to.name, "address": to.address, "basis": to.basis }, "purpose": to.purpose, "exempt": exempt,
        })
    };
    let value = json!({ "subject": subject, "disclosures": rows.iter().map(as_json).collect::<Vec<_>>() });
    if rows.is_empty() {
        return Ok(output.list(&[], NOTHING, &value)?);
    }
    Ok(output.say(&table(TITLES, rows.iter().map(cells)), &value)?)
}

const NOTHING: &str = "no disclosure of this patient's data is in the log";

fn as_csv(rows: &[Row<'_>]) -> String {
    let mut text = csv::row(TITLES);
    for row in rows {
        text.push_str(&csv::row(cells(row).iter().map(String::as_str)));
    }
    text
}

/// One page without scripts and without anything from elsewhere.
fn as_html(subject: &str, since: std::time::Duration, rows: &[Row<'_>]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let (made, since) = (crate::output::time(now.as_secs()), crate::output::time(now.saturating_sub(since).as_secs()));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Accounting of disclosures</title>\n<style>\n\
         body {{ font: 11pt/1.4 sans-serif; margin: 2em; }}\ntable {{ border-collapse: collapse; width: 100%; }}\n\
         th, td {{ border: 1px solid #777; padding: 0.3em 0.5em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }}\n\
         tr {{ break-inside: avoid; }}\n</style>\n</head>\n<body>\n<h1>Accounting of disclosures</h1>\n\
         <p>Patient {}. From {since} to {made}, from the audit log (45 CFR 164.528).</p>\n",
        escaped(subject)
    );
    let parts = [
        ("Disclosures", false, "No disclosure that has to be counted is in the log."),
        ("Disclosures that need not be counted", true, "No other disclosure is in the log."),
    ];
    for (title, is_exempt, nothing) in parts {
        for part in ["<h2>", title, "</h2>\n"] {
            page.push_str(part);
        }
        let of_part: Vec<_> = rows.iter().filter(|(exempt, ..)| exempt.is_some() == is_exempt).collect();
        if of_part.is_empty() {
            for part in ["<p>", nothing, "</p>\n"] {
                page.push_str(part);
            }
            continue;
        }
        page.push_str("<table>\n<thead>");
        html_row(&mut page, "th", TITLES);
        page.push_str("</thead>\n<tbody>\n");
        for row in of_part {
            html_row(&mut page, "td", cells(row).iter().map(String::as_str));
        }
        page.push_str("</tbody>\n</table>\n");
    }
    page.push_str(
        "<p>The purpose is a code of HL7 PurposeOfUse. Whether a disclosure need not be counted is taken from its purpose and basis. A person decides \
         it (164.528(a)(1)).</p>\n</body>\n</html>\n",
    );
    page
}

fn html_row<'c>(page: &mut String, element: &str, cells: impl IntoIterator<Item = &'c str>) {
    page.push_str("<tr>");
    for cell in cells {
        for part in ["<", element, ">", &escaped(cell), "</", element, ">"] {
            page.push_str(part);
        }
    }
    page.push_str("</tr>\n");
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(char),
        }
    }
    escaped
}
