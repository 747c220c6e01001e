//! The part of the page about what was looked at: the scan, the logs, drills and programs.

use rxseal_html::{Page, Table, number};

use super::rows::{MAX_ROWS, say_more};
use super::time::shown;
use crate::facts::Facts;
use crate::scan::Dated;

pub(super) fn write(page: &mut Page, facts: &Facts) {
    scan(page, facts);
    logs(page, facts);
    drills(page, facts);
    programs(page, facts);
}

fn scan(page: &mut Page, facts: &Facts) {
    page.heading("What the scan for plaintext found");
    let Some(scan) = &facts.scan else {
        page.nothing("Nobody scanned.");
        return;
    };
    let dated = match scan.dated {
        Dated::Now => "made for this evidence",
        Dated::Log => "its event is in the log",
        Dated::File => "as its file says; no log has it",
    };
    let at = scan.at.map_or_else(|| "at an unknown time".to_owned(), shown);
    page.text(format!(
        "{at} ({dated}), {} rows and lines of {} sources and files.",
        number(scan.rows()),
        scan.reports.len()
    ));
    let findings: Vec<_> = scan.findings().collect();
    if findings.is_empty() {
        page.nothing("Nothing was found.");
    } else {
        let mut table = Table::new(["Where", "Place", "What", "How sure", "Count"]).numeric(4);
        for (report, of) in findings.iter().take(MAX_ROWS) {
            let place = of.place.as_deref().unwrap_or_default();
            table.row([
                (&*report.name).into(),
                place.into(),
                (&*of.kind).into(),
                (&*of.certainty).into(),
                number(of.count).into(),
            ]);
        }
        page.table(&table);
        say_more(page, findings.len());
    }
    let undecided = || scan.reports.iter().flat_map(|report| report.undecided.iter().map(move |of| (report, of)));
    if undecided().next().is_some() {
        let mut table = Table::new(["Where", "Place", "Not judged because of"]);
        for (report, of) in undecided().take(MAX_ROWS) {
            table.row([(&*report.name).into(), of.place.as_deref().unwrap_or_default().into(), (&*of.code).into()]);
        }
        page.table(&table);
        say_more(page, undecided().count());
    }
}

fn logs(page: &mut Page, facts: &Facts) {
    page.heading("The logs of who opened what");
    if facts.logs.is_empty() {
        page.nothing("No log was given: who opened what cannot be said.");
    } else {
        let mut table = Table::new(["Log", "Verdict", "Events", "Last checkpoint kept elsewhere", "Found"]).numeric(2);
        for log in &facts.logs {
            let checkpoint = log.checkpoint.as_ref().map_or_else(
                || "none".to_owned(),
                |last| format!("chain {}, {} lines, {}", last.chain, number(last.lines), last.hash),
            );
            let found: Vec<_> = log.findings.iter().take(5).map(|finding| finding.code).collect();
            let more = if log.findings.len() > found.len() { " and more" } else { "" };
            let found = if found.is_empty() { "nothing".to_owned() } else { format!("{}{more}", found.join(", ")) };
            table.row([
                (&*log.name).into(),
                log.verdict.into(),
                number(log.events).into(),
                checkpoint.into(),
                found.into(),
            ]);
        }
        page.table(&table);
    }
    page.facts([("Is every keyring watched?", format!("{}: {}", facts.observed.shown(), facts.observed.why))]);
    let programs = || facts.logs.iter().flat_map(|log| log.programs.values());
    if programs().next().is_some() {
        let mut table =
            Table::new(["Program", "Host", "Version of rxseal-watch", "Digest of its budgets", "Last start"]);
        for program in programs().take(MAX_ROWS) {
            let text = |text: &Option<String>| text.as_deref().unwrap_or("unknown").to_owned();
            table.row([
                (&*program.service).into(),
                (&*program.host).into(),
                text(&program.version).into(),
                text(&program.budgets).into(),
                shown(program.at).into(),
            ]);
        }
        page.table(&table);
        say_more(page, programs().count());
    }
}

fn drills(page: &mut Page, facts: &Facts) {
    page.heading("The last drills");
    let drills = || facts.logs.iter().filter(|log| !log.is_tampered()).flat_map(|log| log.drills.values());
    if drills().next().is_none() {
        page.nothing("No log has a drill.");
        return;
    }
    let mut table = Table::new(["Drill", "Keyring", "Result", "When", "Who", "Numbers"]);
    for drill in drills().take(MAX_ROWS) {
        let numbers: Vec<_> = drill.numbers.iter().map(|(name, count)| format!("{name} {}", number(*count))).collect();
        table.row([
            (&*drill.what).into(),
            drill.keyspace.as_deref().unwrap_or_default().into(),
            (&*drill.out).into(),
            shown(drill.at).into(),
            (&*drill.who).into(),
            numbers.join(", ").into(),
        ]);
    }
    page.table(&table);
}

fn programs(page: &mut Page, facts: &Facts) {
    page.heading("Which programs");
    page.text(format!("{} {} made this evidence.", facts.tool.name, facts.tool.version));
    if facts.programs.is_empty() {
        page.nothing("Nobody named the program that seals, or its Cargo.lock, so what it was built from is unknown.");
        return;
    }
    let mut table = Table::new(["File", "SHA-256"]);
    for (name, sha256) in facts.programs.iter().take(MAX_ROWS) {
        table.row([(&**name).into(), (&**sha256).into()]);
    }
    page.table(&table);
    say_more(page, facts.programs.len());
}
