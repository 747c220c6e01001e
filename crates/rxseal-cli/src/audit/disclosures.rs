//! `rxseal audit disclosures`: to whom the data of a patient was disclosed (45 CFR 164.528).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rxseal_exposure::csv_row;
use rxseal_html::{Page as HtmlPage, Table, Text, Tone, number};
use rxseal_watch::{ChainId, LoggedEvent};
use serde_json::{Value, json};

use super::events::{self, inner};
use crate::args::{Disclosures, Page};
use crate::failure::{Failure, usage};
use crate::output::{self, Output, table};

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
    let mut text = csv_row(TITLES);
    for row in rows {
        text.push_str(&csv_row(cells(row).iter().map(String::as_str)));
    }
    text
}

fn as_html(subject: &str, since: Duration, rows: &[Row<'_>]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (made, since) = (output::time(now.as_secs()), output::time(now.saturating_sub(since).as_secs()));
    let about = format!("patient {subject}, from {since} to {made}, from the audit log (45 CFR 164.528)");
    let mut page = HtmlPage::new("Accounting of disclosures", &about);
    let (exempt, counted): (Vec<_>, Vec<_>) = rows.iter().partition(|(exempt, ..)| exempt.is_some());
    page.verdict(
        Tone::Neutral,
        Text::new("Data of this patient was disclosed ")
            .strong(times(&counted))
            .plain(format!(" that must be counted, and {} that need not be.", times(&exempt))),
    );
    let parts = [
        ("Disclosures", counted, "No disclosure that has to be counted is in the log."),
        ("Disclosures that need not be counted", exempt, "No other disclosure is in the log."),
    ];
    for (title, rows, nothing) in parts {
        page.heading(title);
        if rows.is_empty() {
            page.nothing(nothing);
            continue;
        }
        let mut table = Table::new(["when", "recipient", "what", "purpose and basis"]);
        for row in rows {
            table.row(html_cells(row));
        }
        page.table(&table);
    }
    page.small(
        "The purpose is a code of HL7 PurposeOfUse. Whether a disclosure need not be counted is taken from its purpose and basis. A person decides it \
         (164.528(a)(1)).",
    );
    page.into_html()
}

fn times(rows: &[&Row<'_>]) -> String {
    match rows.iter().fold(0_u64, |sum, (_, _, entry)| sum.saturating_add(entry.count)) {
        1 => "1 time".to_owned(),
        times => format!("{} times", number(times)),
    }
}

/// Four columns, which fit on paper.
fn html_cells(row: &Row<'_>) -> [Text; 4] {
    let [first, last, times, name, address, what, purpose, basis, exempt] = cells(row);
    let when = if last.is_empty() { first } else { format!("{first} to {last}, {times} times") };
    let purpose = Text::new(format!("{purpose}, {basis}"));
    let at = if address.is_empty() { String::new() } else { format!(", {address}") };
    [
        when.into(),
        Text::default().strong(name).plain(at),
        what.into(),
        if exempt.is_empty() { purpose } else { purpose.plain(format!("; need not be counted: {exempt}")) },
    ]
}
