//! What is known of logs before anything else is read.

use std::collections::{BTreeMap, BTreeSet};

use rxseal::KeyId;
use rxseal_map::__private::said;
use rxseal_watch::verify::{Fault, Finding, Report, Verdict};
use rxseal_watch::{ChainId, LoggedEvent, read_events};

use super::Log;
use super::chains::{Chains, Root, root};
use super::moment::Moment;
use crate::model::{AuditCover, Mitigation, Viewed};

/// What is known of all logs together.
#[derive(Default)]
pub(crate) struct Facts {
    pub(super) logs: Vec<Known>,
    /// What the log of a key service says of the unlockings of all logs.
    pub(super) of_service: Vec<Finding>,
    has_service_log: bool,
    pub(super) chains: Chains,
    /// When the first and the last event happened, in Unix seconds, as they say it.
    times: Option<(u64, u64)>,
    /// For whom something was opened, or was to be.
    actors: BTreeSet<String>,
    unlocks: u64,
    /// The keys that keyrings were unlocked with, and the root keys that unlocked these.
    pub(crate) keys: BTreeMap<KeyId, BTreeSet<Root>>,
    pub(crate) classes: BTreeSet<String>,
    /// The keyspaces whose records were opened.
    pub(crate) keyspaces: BTreeSet<String>,
    done: Vec<Mitigation>,
}

/// What is known of one log.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) report: Option<Report>,
    /// Why it could not be read to its end.
    pub(super) not_read: Option<String>,
    pub(super) chains: BTreeSet<ChainId>,
    /// From when to when events were lost, and when that was said.
    pub(super) gaps: Vec<(ChainId, [Moment; 3])>,
    /// The last lines that a checkpoint from elsewhere covers, of chains that have others behind them.
    pub(super) covered: BTreeMap<ChainId, (u64, Option<Moment>)>,
}

impl Facts {
    /// Verifies logs and reads their events. `None` without a log.
    pub(crate) fn read(logs: &[Log]) -> Option<Self> {
        let mut facts = Self::default();
        for log in logs {
            let mut known = Known::verify(log);
            let read = read_events(&log.folder, |event: LoggedEvent| {
                known.add(&event);
                facts.add(&event);
            });
            if let Err(error) = read {
                known.not_read.get_or_insert_with(|| said(&error));
            }
            facts.logs.push(known);
        }
        let service = logs
            .iter()
            .find_map(|log| log.verifier.unlockings(facts.logs.iter().filter_map(|known| known.report.as_ref())));
        facts.has_service_log = service.is_some();
        facts.of_service = service.unwrap_or_default();
        (!logs.is_empty()).then_some(facts)
    }

    fn add(&mut self, event: &LoggedEvent) {
        let at = event.time() / 1000;
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((at.min(first), at.max(last)));
        self.chains.add(event);
        match event.kind() {
            "open" => {
                insert(&mut self.actors, event.text("who"));
                insert(&mut self.keyspaces, event.text("ks"));
                event.classes().for_each(|class| insert(&mut self.classes, Some(class)));
            }
            "unlock" => {
                self.unlocks = self.unlocks.saturating_add(1);
                for key in event.keys().filter_map(|key| key.parse::<KeyId>().ok()) {
                    self.keys.entry(key).or_default().extend(root(event));
                }
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

    /// Whether a log has an opening for this login, at any time.
    pub(crate) fn has_actor(&self, name: &str) -> bool {
        self.actors.contains(name)
    }

    pub(crate) fn has_service_log(&self) -> bool {
        self.has_service_log
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let of_service = self.of_service.iter().map(Finding::verdict);
        self.logs.iter().map(Known::verdict).chain(of_service).min().unwrap_or(Verdict::Incomplete)
    }

    /// As the report says it.
    pub(crate) fn cover(&self, viewed: Vec<Viewed>) -> AuditCover {
        let (from, to) = self.times.unwrap_or_default();
        let mut findings: Vec<_> = self.logs.iter().flat_map(Known::findings).map(ToString::to_string).collect();
        findings.extend(self.of_service.iter().map(ToString::to_string));
        let not_read = self.logs.iter().filter_map(|known| known.not_read.as_ref());
        findings.extend(not_read.map(|why| format!("the log could not be read to its end: {why}")));
        let sum = |of: fn(&Report) -> u64| {
            self.logs.iter().filter_map(|known| known.report.as_ref()).map(of).fold(0_u64, u64::saturating_add)
        };
        let verdict = match self.verdict() {
            Verdict::Tampered => "tampered",
            Verdict::Incomplete => "incomplete",
            Verdict::Whole => "whole",
        };
        AuditCover {
            verdict: verdict.to_owned(),
            from,
            to,
            events: sum(Report::events),
            chains: sum(Report::chains),
            findings,
            unlocks: self.unlocks,
            has_service_log: self.has_service_log,
            has_checkpoints: self.logs.iter().all(Known::has_checkpoints),
            viewed,
        }
    }
}

impl Known {
    fn verify(log: &Log) -> Self {
        let report = log.verifier.verify(&log.folder);
        let mut known = Self {
            name: log.folder.display().to_string(),
            not_read: report.as_ref().err().map(|error| said(error)),
            report: report.ok(),
            chains: BTreeSet::new(),
            gaps: Vec::new(),
            covered: BTreeMap::new(),
        };
        let last_covered = |finding: &Finding| finding.uncovered_from()?.checked_sub(1);
        let ends = known.findings().filter_map(|finding| Some((finding.chain()?, last_covered(finding)?)));
        known.covered = ends.map(|(chain, line)| (chain, (line, None))).collect();
        known
    }

    fn add(&mut self, event: &LoggedEvent) {
        let moment = Moment::of(event);
        self.chains.insert(event.chain());
        if let Some((line, covered)) = self.covered.get_mut(&event.chain())
            && *line == event.number()
        {
            *covered = Some(moment);
        }
        if event.kind() == "gap" {
            // Its times are since the chain began, as `m` is (FORMAT 16.1).
            let time = |name: &str| event.count(name).map_or(moment, |since| moment.at(since));
            self.gaps.push((event.chain(), [time("from"), time("to"), moment]));
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match (&self.report, &self.not_read) {
            (Some(_), None) => self.findings().map(Finding::verdict).min().unwrap_or(Verdict::Whole),
            _ => Verdict::Incomplete,
        }
    }

    /// Without what the key service says of this log alone: it has the unlockings of all.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        let is_of_service =
            |fault| matches!(fault, Fault::UnlockNotHere | Fault::UnlockNotAtService | Fault::UnlockWithoutService);
        let findings = self.report.iter().flat_map(Report::findings);
        findings.filter(move |finding| !is_of_service(finding.fault()))
    }

    fn has_checkpoints(&self) -> bool {
        self.report.is_some() && !self.findings().any(|finding| finding.fault() == Fault::NothingToCompare)
    }
}

fn insert(names: &mut BTreeSet<String>, name: Option<&str>) {
    if let Some(name) = name.filter(|name| !names.contains(*name)) {
        names.insert(name.to_owned());
    }
}
