//! Whether logs can say what was *not* opened in a time.

use rxseal_watch::verify::{Fault, Finding, Verdict};

use super::chains::overlaps;
use super::facts::{Facts, Known};
use super::openings::Whose;
use crate::state::State;
use crate::time::{Window, shown};

/// Why a log cannot say it, and what holds for every patient because of that.
pub(crate) struct Doubted {
    pub(crate) state: State,
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Facts {
    /// The time that was said, or else that of all logs.
    pub(crate) fn window(&self, said: Option<Window>) -> Window {
        said.or_else(|| self.chains.span()).unwrap_or((0, u64::MAX))
    }

    /// The reasons for which something may have been opened for them in that time that no log has.
    pub(crate) fn doubts(&self, whose: &Whose) -> Vec<Doubted> {
        let mut doubts = Vec::new();
        for log in self.logs_of(whose) {
            let first = doubts.len();
            self.doubt_log(log, whose, &mut doubts);
            if self.logs.len() > 1 {
                doubts.iter_mut().skip(first).for_each(|doubt| doubt.text = format!("{}: {}", log.name, doubt.text));
            }
        }
        for finding in self.of_service.iter().filter(|finding| finding.fault() == Fault::UnlockNotHere) {
            doubts.push(Doubted { state: State::CouldBeRead, code: "log-unlock-elsewhere", text: finding.to_string() });
        }
        doubts
    }

    /// Of a host, those that have it, if one does. A login may have been used anywhere.
    fn logs_of(&self, whose: &Whose) -> impl Iterator<Item = &Known> {
        let has = move |log: &&Known| log.chains.iter().any(|chain| self.chains.host(*chain) == Some(&whose.name));
        let only = whose.is_host && self.logs.iter().any(|log| has(&log));
        self.logs.iter().filter(move |log| !only || has(log))
    }

    fn doubt_log(&self, log: &Known, whose: &Whose, doubts: &mut Vec<Doubted>) {
        let window = whose.window;
        let mut doubt = |state, code, text: String| doubts.push(Doubted { state, code, text });
        if let Some(why) = &log.not_read {
            doubt(State::Undecided, "log-not-read", format!("the log could not be read to its end: {why}"));
        }
        if log.verdict() == Verdict::Tampered {
            let text = "somebody changed the log, so what it lacks is not known";
            doubt(State::Undecided, "log-tampered", text.to_owned());
        }
        let is_unverified = |of: &Finding| matches!(of.fault(), Fault::NothingToCompare | Fault::UnknownKey);
        if log.findings().any(is_unverified) {
            let text = "no checkpoints from elsewhere were given, or not the keys that verify them, so the end of the log may have been cut off";
            doubt(State::Undecided, "log-unverified", text.to_owned());
        }
        match self.chains.surely(&log.chains) {
            None => doubt(State::Undecided, "log-empty", "the log has no event".to_owned()),
            // Without a time that somebody said, it is that of the only log.
            Some(_) if whose.said.is_none() && self.logs.len() == 1 => {}
            Some((first, last)) => {
                if window.0 < first {
                    let text = format!("the log begins {}, which is later than the theft", shown(first));
                    doubt(State::Undecided, "log-begins-later", text);
                }
                if window.1 > last {
                    let text = format!("the log ends {}, which is before the end of the theft", shown(last));
                    doubt(State::Undecided, "log-ends-before", text);
                }
            }
        }
        let lost = |(chain, moments): &(_, [_; 3])| {
            let times = moments.map(|moment| self.chains.possible(*chain, moment));
            let from = times.iter().map(|(from, _)| *from).min().unwrap_or_default();
            (from, times.iter().map(|(_, to)| *to).max().unwrap_or(u64::MAX))
        };
        if log.gaps.iter().any(|gap| overlaps(lost(gap), window)) {
            let text = "events were lost in the time of the theft, while the log could not be written";
            doubt(State::CouldBeRead, "log-gap", text.to_owned());
        }
        for finding in log.findings() {
            if let Some((state, code)) = self.doubt_of(finding, log, whose) {
                doubt(state, code, finding.to_string());
            }
        }
    }

    /// What a finding means for the time.
    fn doubt_of(&self, finding: &Finding, log: &Known, whose: &Whose) -> Option<(State, &'static str)> {
        let chain = finding.chain();
        // Of a chain without a line nobody knows a time.
        let is_in = |times: Option<Window>| times.is_none_or(|times| overlaps(times, whose.window));
        let (code, is_in_time) = match finding.fault() {
            // Nobody knows when its program was killed: its last line was written before that.
            Fault::NoStop { .. } | Fault::Torn { .. } => {
                let last = chain.and_then(|chain| self.chains.last(chain));
                ("log-killed", is_in(last.map(|last| (last, u64::MAX))))
            }
            Fault::Running { uncovered: lines } | Fault::Uncovered { lines } if lines > 0 => {
                let covered = |chain| log.covered.get(&chain).and_then(|(_, covered)| *covered);
                let unproven = chain.and_then(|chain| self.chains.unproven(chain, covered(chain)));
                ("log-uncovered", is_in(unproven))
            }
            Fault::ClockJumped => ("log-clock", is_in(chain.and_then(|chain| self.chains.times(chain)))),
            Fault::Empty => ("log-uncovered", true),
            // What its program unlocked before is not here either.
            Fault::BeginsLater if whose.is_host => {
                let has_begun = |chain| self.chains.has_begun_here(chain, &whose.name, whose.window);
                ("log-begins-later", chain.is_some_and(has_begun))
            }
            _ => return None,
        };
        is_in_time.then_some((State::CouldBeRead, code))
    }
}
