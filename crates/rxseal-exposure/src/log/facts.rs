//! What is known of a log before anything else is read.

use std::collections::BTreeSet;
use std::path::Path;

use rxseal::KeyId;
use rxseal_map::__private::said;
use rxseal_watch::verify::{Fault, Report, Verdict, Verifier};
use rxseal_watch::{LoggedEvent, read_events};

use super::chains::Chains;
use crate::model::{AuditCover, Mitigation, Viewed};

/// What is known of a log before anything else is read.
pub(crate) struct Facts {
    pub(super) report: Option<Report>,
    /// Why it could not be read to its end.
    pub(crate) not_read: Option<String>,
    pub(super) chains: Chains,
    /// When its first and its last event happened, in Unix seconds.
    pub(super) times: Option<(u64, u64)>,
    pub(super) gaps: Vec<(u64, u64)>,
    /// For whom something was opened, or was to be.
    actors: BTreeSet<String>,
    unlocks: u64,
    has_service_log: bool,
    pub(crate) keys: BTreeSet<KeyId>,
    pub(crate) classes: BTreeSet<String>,
    done: Vec<Mitigation>,
}

impl Facts {
    /// Verifies a log and reads its events.
    pub(super) fn read(folder: &Path, verifier: &Verifier) -> Self {
        let report = verifier.verify(folder);
        let mut facts = Self {
            not_read: report.as_ref().err().map(|error| said(error)),
            report: report.ok(),
            chains: Chains::default(),
            times: None,
            gaps: Vec::new(),
            actors: BTreeSet::new(),
            unlocks: 0,
            has_service_log: verifier.unlockings([]).is_some(),
            keys: BTreeSet::new(),
            classes: BTreeSet::new(),
            done: Vec::new(),
        };
        if let Err(error) = read_events(folder, |event: LoggedEvent| facts.add(&event)) {
            facts.not_read.get_or_insert_with(|| said(&error));
        }
        facts
    }

    fn add(&mut self, event: &LoggedEvent) {
        let at = event.time() / 1000;
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((at.min(first), at.max(last)));
        self.chains.add(event);
        match event.kind() {
            "open" => {
                if let Some(who) = event.text("who").filter(|who| !self.actors.contains(*who)) {
                    self.actors.insert(who.to_owned());
                }
                for class in event.classes().filter(|class| !self.classes.contains(*class)).collect::<Vec<_>>() {
                    self.classes.insert(class.to_owned());
                }
            }
            "unlock" => {
                self.unlocks = self.unlocks.saturating_add(1);
                self.keys.extend(event.keys().filter_map(|key| key.parse::<KeyId>().ok()));
            }
            "gap" => {
                // Its times are since the chain began, as `m` is (FORMAT 16.1).
                let began = event.time().saturating_sub(event.count("m").unwrap_or_default());
                let time = |name: &str| event.count(name).map_or(at, |ms| began.saturating_add(ms) / 1000);
                self.gaps.push((time("from").min(at), time("to").max(at)));
            }
            "act" if event.text("out") == Some("ok") => {
                let whom = event.text("whom").map(|whom| format!(" of {whom}"));
                let what = event.text("what").unwrap_or("act");
                self.push(at, format!("{what}{}", whom.unwrap_or_default()), event.text("who"));
            }
            "budget" => {
                let what = match event.text("what") {
                    Some("deny") => "the budget began to refuse",
                    Some("freeze") => "frozen",
                    Some("unfreeze") => "no longer frozen",
                    _ => return,
                };
                let of = event.text("who").unwrap_or("an actor");
                self.push(at, format!("{of}: {what}"), None);
            }
            "seal_admin" if !self.chains.is_in_act(event.chain()) => {
                if let Some(what) = event.text("what") {
                    let of = event.text("ks").map(|keyspace| format!(" of {keyspace}"));
                    self.push(at, format!("{what}{}", of.unwrap_or_default()), None);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, at: u64, what: String, who: Option<&str>) {
        self.done.push(Mitigation { at, what, who: who.map(str::to_owned) });
    }

    /// What was done since then, in its order.
    pub(crate) fn done_since(&self, since: u64) -> Vec<Mitigation> {
        let mut done: Vec<_> = self.done.iter().filter(|done| done.at >= since).cloned().collect();
        done.sort_by_key(|done| done.at);
        done
    }

    pub(crate) fn times(&self) -> Option<(u64, u64)> {
        self.times
    }

    pub(crate) fn chains(&self) -> &Chains {
        &self.chains
    }

    /// Whether the log has an opening for this login, at any time.
    pub(crate) fn has_actor(&self, name: &str) -> bool {
        self.actors.contains(name)
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.report.as_ref().filter(|_| self.not_read.is_none()).map_or(Verdict::Incomplete, Report::verdict)
    }

    pub(super) fn has(&self, fault: impl Fn(Fault) -> bool) -> bool {
        self.report.iter().flat_map(Report::findings).any(|finding| fault(finding.fault()))
    }

    /// As the report says it.
    pub(crate) fn cover(&self, viewed: Vec<Viewed>) -> AuditCover {
        let (from, to) = self.times.unwrap_or_default();
        let mut findings: Vec<_> = self.report.iter().flat_map(Report::findings).map(ToString::to_string).collect();
        findings.extend(self.not_read.iter().map(|why| format!("the log could not be read to its end: {why}")));
        let count = |of: fn(&Report) -> u64| self.report.as_ref().map(of).unwrap_or_default();
        let verdict = match self.verdict() {
            Verdict::Tampered => "tampered",
            Verdict::Incomplete => "incomplete",
            Verdict::Whole => "whole",
        };
        AuditCover {
            verdict: verdict.to_owned(),
            from,
            to,
            events: count(Report::events),
            chains: count(Report::chains),
            findings,
            unlocks: self.unlocks,
            has_service_log: self.has_service_log,
            has_checkpoints: self.report.is_some() && !self.has(|fault| fault == Fault::NothingToCompare),
            viewed,
        }
    }
}
