//! Whether a log can say what was *not* opened in a time.

use rxseal_watch::verify::{Fault, Report, Verdict};

use super::chains::overlaps;
use super::facts::Facts;
use crate::state::State;
use crate::time::{Window, shown};

/// Seconds: the last lines of a log that is being written are in no checkpoint yet.
const YOUNG: u64 = 120;

/// Why a log cannot say it, and what holds for every patient because of that.
pub(crate) struct Doubted {
    pub(crate) state: State,
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Facts {
    /// The time that was said, or else that of the whole log.
    pub(crate) fn window(&self, said: Option<Window>) -> Window {
        said.or(self.times).unwrap_or((0, u64::MAX))
    }

    /// The reasons for which something may have been opened in this time that the log does not have.
    pub(crate) fn doubts(&self, window: Window) -> Vec<Doubted> {
        let mut doubts = Vec::new();
        let mut doubt = |state, code, text: String| doubts.push(Doubted { state, code, text });
        if let Some(why) = &self.not_read {
            doubt(State::Undecided, "log-not-read", format!("the log could not be read to its end: {why}"));
        }
        if self.verdict() == Verdict::Tampered {
            doubt(
                State::Undecided,
                "log-tampered",
                "somebody changed the log, so what it lacks is not known".to_owned(),
            );
        }
        if self.has(|fault| matches!(fault, Fault::NothingToCompare | Fault::UnknownKey)) {
            let text = "no checkpoints from elsewhere were given, or not the keys that verify them, so the end of the log may have been cut off";
            doubt(State::Undecided, "log-unverified", text.to_owned());
        }
        match self.times {
            None => doubt(State::Undecided, "log-empty", "the log has no event".to_owned()),
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
        if self.gaps.iter().any(|gap| overlaps(*gap, window)) {
            let text = "events were lost in the time of the theft, while the log could not be written";
            doubt(State::CouldBeRead, "log-gap", text.to_owned());
        }
        for finding in self.report.iter().flat_map(Report::findings) {
            let times = finding.chain().and_then(|chain| self.chains.times(chain));
            let (code, is_in_time) = match finding.fault() {
                Fault::UnlockNotHere => ("log-unlock-elsewhere", true),
                // Nobody knows when its program was killed: its last line was written before that.
                Fault::NoStop { .. } | Fault::Torn { .. } => {
                    let last = finding.chain().and_then(|chain| self.chains.last(chain));
                    ("log-killed", last.is_none_or(|last| overlaps((last, u64::MAX), window)))
                }
                Fault::Running { uncovered } if uncovered > 0 => {
                    // Without any checkpoint from elsewhere, none of its lines is proven.
                    let is_covered = self.report.as_ref().is_some_and(|report| report.covered().is_some());
                    let from =
                        |(begin, end): Window| (if is_covered { end.saturating_sub(YOUNG) } else { begin }, u64::MAX);
                    ("log-uncovered", times.is_none_or(|times| overlaps(from(times), window)))
                }
                Fault::Uncovered { .. } | Fault::ClockJumped | Fault::Empty => {
                    ("log-uncovered", times.is_none_or(|times| overlaps(times, window)))
                }
                _ => continue,
            };
            if is_in_time {
                doubt(State::CouldBeRead, code, finding.to_string());
            }
        }
        doubts
    }
}
