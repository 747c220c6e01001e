//! How sure it is: what the log covers, what is undecided, what is assumed, and what was read.

use rxseal_html::{Page, Text, number};

use super::short::{doubt_said, listed, short};
use crate::model::{AuditCover, Doubt, Exposure};
use crate::words::minute;

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    page.heading("How sure is this");
    page.facts([
        ("Log of openings", log(exposure.audit.as_ref())),
        ("Undecided", undecided(&exposure.doubts)),
        ("Assumed", assumed(exposure)),
        ("Read", read(exposure)),
    ]);
}

fn log(audit: Option<&AuditCover>) -> Text {
    let Some(audit) = audit else { return Text::new("none was given: what was viewed cannot be said") };
    let checkpoints = if audit.has_checkpoints {
        "compared with checkpoints that were kept elsewhere"
    } else {
        "no checkpoint from elsewhere was given, so a cut end would not be seen"
    };
    let compared = if audit.has_service_log {
        "compared with the log of the key service"
    } else {
        "the log of the key service was not given"
    };
    let unlocks = format!("{} unlocks; {compared}", number(audit.unlocks));
    let findings = match audit.findings.as_slice() {
        [] => String::new(),
        findings => format!(". Found: {}", listed(findings)),
    };
    Text::default().strong(short(&audit.verdict)).plain(format!(
        ", from {} to {}: {} events, {} chains, {checkpoints}; {unlocks}{findings}",
        minute(audit.from),
        minute(audit.to),
        number(audit.events),
        number(audit.chains)
    ))
}

fn undecided(doubts: &[Doubt]) -> Text {
    if doubts.is_empty() {
        return Text::new("nothing");
    }
    let said: Vec<_> = doubts.iter().map(|doubt| doubt_said(doubt, short)).collect();
    Text::new(listed(&said))
}

fn assumed(exposure: &Exposure) -> Text {
    if exposure.assumed.is_empty() {
        return Text::new("nothing");
    }
    let said: Vec<_> = exposure
        .assumed
        .iter()
        .map(|assumed| {
            let by = assumed.by.as_ref().map_or_else(String::new, |by| format!(" (stated by {})", short(by)));
            format!("{}{by}", short(&assumed.text))
        })
        .collect();
    Text::new(listed(&said))
}

fn read(exposure: &Exposure) -> Text {
    let names: Vec<_> = exposure.inputs.iter().map(|input| input.name.as_str()).collect();
    if names.is_empty() {
        return Text::new("no file and no database");
    }
    Text::new(format!(
        "{}. Their SHA-256 are in exposure.json. The list of patients is patients.csv: it is PHI and not in this page.",
        listed(&names)
    ))
}
