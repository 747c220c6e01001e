//! What a scan found, and when it was.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal_scan::{Certainty, Report};
use serde::{Deserialize, Serialize};

use crate::digest::digest;
use crate::error::EvidenceError;

/// What a scan found, as far as evidence needs it.
#[derive(Clone, Debug, Serialize)]
pub struct ScanFacts {
    /// The second at which it began, as it says itself.
    pub(crate) at: Option<u64>,
    /// SHA-256 of its map.
    pub(crate) map: Option<String>,
    /// `all`, or `certain` if what is only possible was left out.
    pub(crate) looked_for: String,
    pub(crate) reports: Vec<ReportFacts>,
    /// SHA-256 of the answer, by which a log knows it.
    pub(crate) sha256: Option<String>,
    pub(crate) dated: Dated,
    #[serde(skip)]
    pub(crate) text: Option<String>,
}

/// What shows when a scan was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dated {
    /// It was made for this evidence.
    Now,
    /// A log has it.
    Log,
    /// Nothing but its own file.
    File,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReportFacts {
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) keys: BTreeMap<String, u64>,
    pub(crate) findings: Vec<FindingFacts>,
    pub(crate) undecided: Vec<UndecidedFacts>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FindingFacts {
    pub(crate) kind: String,
    pub(crate) certainty: String,
    pub(crate) place: Option<String>,
    pub(crate) count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UndecidedFacts {
    pub(crate) code: String,
    pub(crate) place: Option<String>,
}

/// The answer of `rxseal --json scan`. Its verdict is not read: it follows from the rest.
#[derive(Deserialize)]
struct ScanAnswer {
    at: Option<u64>,
    map: Option<String>,
    looked_for: String,
    reports: Vec<ReportFacts>,
}

impl ScanFacts {
    /// Of a scan that this program has just made, by the map with this SHA-256.
    #[must_use]
    pub fn of<'r>(reports: impl IntoIterator<Item = &'r Report>, map: &[u8; 32]) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs());
        let reports = reports.into_iter().map(ReportFacts::of).collect();
        let (map, looked_for) = (Some(hex::encode(map)), "all".to_owned());
        Self { at, map, looked_for, reports, sha256: None, dated: Dated::Now, text: None }
    }

    /// The answer of `rxseal --json scan`, as it was printed. The pack has it as `scan.json`.
    ///
    /// # Errors
    ///
    /// `invalid-input` if it is something else, or the answer of a search for canaries.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let what = "this is not the answer of a scan: write what `rxseal --json scan` prints into a file";
        let answer: ScanAnswer = serde_json::from_str(text).map_err(|_| EvidenceError::Invalid(what.to_owned()))?;
        let ScanAnswer { at, map, looked_for, reports } = answer;
        if !["all", "certain"].contains(&&*looked_for) {
            return Err(EvidenceError::Invalid(what.to_owned()));
        }
        let sha256 = Some(hex::encode(digest(text.as_bytes())));
        Ok(Self { at, map, looked_for, reports, sha256, dated: Dated::File, text: Some(text.to_owned()) })
    }

    /// The scan was made just now, for this evidence.
    #[must_use]
    pub fn made_now(self) -> Self {
        Self { dated: Dated::Now, ..self }
    }

    pub(crate) fn has(&self, source: &str) -> bool {
        self.reports.iter().any(|report| report.name == source)
    }

    pub(crate) fn findings(&self) -> impl Iterator<Item = (&ReportFacts, &FindingFacts)> {
        self.reports.iter().flat_map(|report| report.findings.iter().map(move |finding| (report, finding)))
    }

    pub(crate) fn undecided(&self) -> usize {
        self.reports.iter().map(|report| report.undecided.len()).sum()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.reports.iter().fold(0, |sum, report| sum.saturating_add(report.rows))
    }

    /// How many tokens are under this key.
    pub(crate) fn tokens_under(&self, key: &str) -> u64 {
        self.reports.iter().fold(0, |sum, report| sum.saturating_add(report.keys.get(key).copied().unwrap_or(0)))
    }
}

impl ReportFacts {
    fn of(report: &Report) -> Self {
        let findings = report.findings().iter().map(|finding| FindingFacts {
            kind: finding.kind().as_str().to_owned(),
            certainty: finding.certainty().as_str().to_owned(),
            place: finding.place().map(str::to_owned),
            count: finding.count(),
        });
        let undecided = report.undecided().iter();
        Self {
            name: report.name().to_owned(),
            rows: report.rows(),
            keys: report.keys().map(|(key, count)| (key.to_string(), count)).collect(),
            findings: findings.collect(),
            undecided: undecided
                .map(|of| UndecidedFacts { code: of.code().to_owned(), place: of.place().map(str::to_owned) })
                .collect(),
        }
    }
}

impl FindingFacts {
    /// Whether somebody could read it: it is no token in a wrong place or under a wrong key.
    pub(crate) fn is_readable(&self) -> bool {
        !self.kind.starts_with("key-") && !self.kind.starts_with("token-")
    }

    pub(crate) fn is_certain(&self) -> bool {
        self.certainty == Certainty::Certain.as_str()
    }
}
