//! What a log says: whether it is whole, and when somebody scanned and drilled.

use std::collections::BTreeMap;
use std::path::Path;

use rxseal_watch::verify::{Report, Verdict, Verifier};
use rxseal_watch::{Line, WatchError, read_lines};
use serde::{Deserialize, Serialize};

/// What evidence has of a log of rxseal-watch: what its verifier found, and when tools ran.
#[derive(Clone, Debug, Serialize)]
pub struct LogFacts {
    /// Its folder, or where it is in a database.
    pub(crate) name: String,
    pub(crate) verdict: &'static str,
    pub(crate) chains: u64,
    pub(crate) events: u64,
    pub(crate) findings: Vec<LogFinding>,
    /// How often a keyring was unlocked.
    pub(crate) unlockings: u64,
    /// The last checkpoint that was kept elsewhere.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The programs that wrote it, each as it started last.
    #[serde(serialize_with = "as_list")]
    pub(crate) programs: BTreeMap<(String, String), Program>,
    /// The last drill of each sort, for each keyspace.
    #[serde(serialize_with = "as_list")]
    pub(crate) drills: BTreeMap<(String, Option<String>), Run>,
    /// The last scan of the sources of a map.
    pub(crate) last_scan: Option<Run>,
    #[serde(skip)]
    pub(crate) scans: BTreeMap<String, Run>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogFinding {
    pub(crate) code: &'static str,
    pub(crate) chain: Option<String>,
    pub(crate) line: Option<u64>,
    pub(crate) text: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Checkpoint {
    pub(crate) chain: String,
    pub(crate) lines: u64,
    pub(crate) hash: String,
}

/// A program, as it said when it began its chain.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Program {
    pub(crate) service: String,
    pub(crate) host: String,
    pub(crate) version: Option<String>,
    /// The digest of its budgets.
    pub(crate) budgets: Option<String>,
    /// The second of its last start.
    pub(crate) at: u64,
}

/// A scan or a drill.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) what: String,
    pub(crate) keyspace: Option<String>,
    pub(crate) out: String,
    pub(crate) who: String,
    /// The second.
    pub(crate) at: u64,
    pub(crate) chain: String,
    pub(crate) line: u64,
    pub(crate) map: Option<String>,
    pub(crate) numbers: BTreeMap<String, u64>,
    pub(crate) sha256: Option<String>,
}

/// A line of a kind that evidence is about.
#[derive(Deserialize)]
struct Event {
    t: u64,
    e: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    out: String,
    ks: Option<String>,
    map: Option<String>,
    #[serde(default)]
    num: BTreeMap<String, u64>,
    sha256: Option<String>,
    #[serde(default)]
    svc: String,
    #[serde(default)]
    host: String,
    version: Option<String>,
    bud: Option<String>,
}

impl LogFacts {
    /// Verifies the log in a folder, and reads it.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`] and [`read_lines`].
    pub fn read(folder: impl AsRef<Path>, verifier: &Verifier) -> Result<Self, WatchError> {
        let folder = folder.as_ref();
        let mut facts = Self::of(&folder.display().to_string(), &verifier.verify(folder)?);
        read_lines(folder, |line| facts.add(line))?;
        Ok(facts)
    }

    /// What its verifier found. Then [`add`](Self::add) every line.
    #[must_use]
    pub fn of(name: &str, report: &Report) -> Self {
        let verdict = match report.verdict() {
            Verdict::Whole => "whole",
            Verdict::Incomplete => "incomplete",
            Verdict::Tampered => "tampered",
        };
        let findings = report.findings().iter().map(|finding| LogFinding {
            code: finding.code(),
            chain: finding.chain().map(|chain| chain.to_string()),
            line: finding.line(),
            text: finding.to_string(),
        });
        let checkpoint = report.covered().map(|covered| Checkpoint {
            chain: covered.chain().to_string(),
            lines: covered.lines(),
            hash: covered.hash(),
        });
        Self {
            name: name.to_owned(),
            verdict,
            chains: report.chains(),
            events: report.events(),
            findings: findings.collect(),
            unlockings: 0,
            checkpoint,
            programs: BTreeMap::new(),
            drills: BTreeMap::new(),
            last_scan: None,
            scans: BTreeMap::new(),
        }
    }

    /// Looks at a line.
    pub fn add(&mut self, line: &Line) {
        let is_wanted = |kind: &str| line.json().contains(&format!(r#","e":"{kind}","#));
        if is_wanted("unlock") {
            self.unlockings = self.unlockings.saturating_add(1);
        }
        if !["start", "scan", "drill"].into_iter().any(is_wanted) {
            return;
        }
        let Ok(event) = serde_json::from_str::<Event>(line.json()) else { return };
        let at = event.t / 1000;
        match &*event.e {
            "start" => {
                let Event { svc: service, host, version, bud: budgets, .. } = event;
                let program = Program { service, host, version, budgets, at };
                let key = (program.service.clone(), program.host.clone());
                if self.programs.get(&key).is_none_or(|known| known.at <= at) {
                    self.programs.insert(key, program);
                }
            }
            "scan" => {
                let run = Run::of(event, line);
                let is_later = self.last_scan.as_ref().is_none_or(|last| last.at <= at);
                if is_later && run.numbers.get("sources").is_some_and(|sources| *sources > 0) {
                    self.last_scan = Some(run.clone());
                }
                if let Some(sha256) = run.sha256.clone() {
                    self.scans.insert(sha256, run);
                }
            }
            "drill" => {
                let run = Run::of(event, line);
                let of = (run.what.clone(), run.keyspace.clone());
                if self.drills.get(&of).is_none_or(|last| last.at <= at) {
                    self.drills.insert(of, run);
                }
            }
            _ => {}
        }
    }

    /// Whether what it says may be believed.
    pub(crate) fn is_tampered(&self) -> bool {
        self.verdict == "tampered"
    }
}

impl Run {
    fn of(event: Event, line: &Line) -> Self {
        let Event { t, who, what, out, ks: keyspace, map, num: numbers, sha256, .. } = event;
        let chain = line.chain().to_string();
        Self { what, keyspace, out, who, at: t / 1000, chain, line: line.number(), map, numbers, sha256 }
    }
}

fn as_list<K, V: Serialize, S: serde::Serializer>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map.values())
}
