//! `rxseal scan`: whether there is plaintext where tokens should be.

use std::path::PathBuf;

use rxseal_map::{Addresses, Map};
use rxseal_scan::{Certainty, Finding, Kind, Report, Scan, Undecided, Verdict};
use rxseal_watch::ToolRun;
use serde_json::{Value, json};

use crate::args::{Global, MapFiles, Scan as Command};
use crate::audit::log::failed;
use crate::config::Config;
use crate::count::{keyrings, members};
use crate::failure::Failure;
use crate::journal::Journal;
use crate::map::Files;
use crate::output::{Output, digest_of_line, now, table};

pub async fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    let who = config.journal.runner(&command.who)?;
    let places = Places::of(&config, &command.map, command.files)?;
    let mut scan = Scan::new();
    if let Some(schema) = places.schema_if(command.map.schema.is_some())? {
        scan = scan.with_schema(schema);
    }
    for ring in keyrings(global, &command.keyspaces).await? {
        scan = scan.with_keyring(&ring);
    }
    if command.expect_tokens {
        scan = scan.expecting_tokens();
    }
    let answer = places.scan(&scan, if command.certain { Wanted::Certain } else { Wanted::All }).await;
    answer.tell(&config.journal, who.as_deref(), output)
}

/// What an operator asked for.
#[derive(Clone, Copy)]
pub enum Wanted {
    All,
    Certain,
    /// Values that were looked for.
    Known,
}

impl Wanted {
    /// A word for it, for programs and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Certain => "certain",
            Self::Known => "canaries",
        }
    }

    fn has(self, finding: &Finding) -> bool {
        match self {
            Self::All => true,
            Self::Certain => finding.certainty() == Certainty::Certain,
            Self::Known => finding.kind() == Kind::KnownValue,
        }
    }

    /// A value that was looked for is seen in a column whatever the map says of it, and in tokens of any length.
    fn has_undecided(self, undecided: &Undecided) -> bool {
        !matches!(self, Self::Known) || !["column-undeclared", "cut-or-whole"].contains(&undecided.code())
    }
}

/// What is scanned.
pub struct Places {
    map: Option<Map>,
    addresses: Addresses,
    known: Files,
    files: Vec<PathBuf>,
}

impl Places {
    /// The map, unless there are files and nobody named it.
    pub fn of(config: &Config, given: &MapFiles, files: Vec<PathBuf>) -> Result<Self, Failure> {
        let known = Files::of(config, given)?;
        let map = if files.is_empty() || given.map.is_some() { Some(known.map()?) } else { None };
        Ok(Self { map, addresses: known.addresses.clone(), known, files })
    }

    /// The schema, which must be there if somebody named it.
    pub fn schema_if(&self, is_named: bool) -> Result<Option<rxseal::schema::Schema>, Failure> {
        if is_named || self.known.has_schema() { self.known.schema().map(Some) } else { Ok(None) }
    }

    /// Scans all of it.
    pub async fn scan(&self, scan: &Scan, wanted: Wanted) -> Answer {
        let mut answer = Answer::new(wanted, self.map.as_ref());
        for source in self.map.iter().flat_map(Map::sources) {
            answer.add(&scan.source(source, &self.addresses).await, "source");
        }
        for file in &self.files {
            answer.add(&scan.file(file), "file");
        }
        answer
    }
}

/// What a scan found.
pub struct Answer {
    wanted: Wanted,
    at: u64,
    map: Option<[u8; 32]>,
    rows: Vec<[String; 5]>,
    undecided: Vec<String>,
    reports: Vec<Value>,
    found: u64,
    read: u64,
}

impl Answer {
    fn new(wanted: Wanted, map: Option<&Map>) -> Self {
        let map = map.map(|map| *map.digest());
        let (rows, undecided, reports) = (Vec::new(), Vec::new(), Vec::new());
        Self { wanted, at: now(), map, rows, undecided, reports, found: 0, read: 0 }
    }

    fn add(&mut self, report: &Report, what: &str) {
        let wanted = self.wanted;
        self.read = self.read.saturating_add(report.rows());
        let findings: Vec<_> = report.findings().iter().filter(|finding| wanted.has(finding)).collect();
        for finding in &findings {
            self.found = self.found.saturating_add(finding.count());
            let line = finding.line().map(|line| format!("line {line}"));
            let place = finding.place().map(str::to_owned).or(line).unwrap_or_default();
            self.rows.push([
                report.name().to_owned(),
                place,
                shown(finding),
                finding.certainty().to_string(),
                finding.count().to_string(),
            ]);
        }
        let undecided: Vec<_> = report.undecided().iter().filter(|of| wanted.has_undecided(of)).collect();
        self.undecided.extend(undecided.iter().map(|of| format!("undecided  {}  {}, {of}", of.code(), report.name())));
        let verdict = verdict(!findings.is_empty(), !undecided.is_empty());
        self.reports.push(json!({
            "name": report.name(), "kind": what, "rows": report.rows(), "bytes": report.bytes(), "keys": members(report.keys()),
            "verdict": verdict.as_str(), "findings": findings.into_iter().map(finding_as_json).collect::<Vec<_>>(),
            "undecided": undecided.into_iter().map(undecided_as_json).collect::<Vec<_>>(),
        }));
    }

    fn verdict(&self) -> Verdict {
        verdict(!self.rows.is_empty(), !self.undecided.is_empty())
    }

    /// The answer, as a program reads it.
    pub fn as_json(&self) -> Value {
        json!({
            "verdict": self.verdict().as_str(), "found": self.found, "at": self.at, "map": self.map.map(hex::encode),
            "looked_for": self.wanted.as_str(), "reports": self.reports,
        })
    }

    /// Prints what was found, and writes into the log that somebody scanned. Fails unless all of it was read, and is clean.
    pub fn tell(self, journal: &Journal, who: Option<&str>, output: &Output) -> Result<(), Failure> {
        let value = self.as_json();
        let logged = who.map_or(Ok(()), |who| self.log(journal, who, &value, output));
        match self.print(&value, output) {
            Ok(()) => logged,
            Err(failure) => {
                if let Err(unlogged) = logged {
                    output.warning(&unlogged.to_string());
                }
                Err(failure)
            }
        }
    }

    fn log(&self, journal: &Journal, who: &str, value: &Value, output: &Output) -> Result<(), Failure> {
        let run = ToolRun::scan(who, self.wanted.as_str(), self.verdict().as_str()).map_err(failed)?;
        let run = match self.map {
            Some(digest) => run.map(digest),
            None => run,
        };
        let is_source = |report: &&Value| report.get("kind").is_some_and(|kind| kind == "source");
        let sources = self.reports.iter().filter(is_source).count();
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        let run = run
            .number("sources", count(sources))
            .number("files", count(self.reports.len().saturating_sub(sources)))
            .number("rows", self.read)
            .number("found", self.found)
            .number("undecided", count(self.undecided.len()))
            .wrote(digest_of_line(value));
        journal.ran(&run, output)
    }

    fn print(self, value: &Value, output: &Output) -> Result<(), Failure> {
        let verdict = self.verdict();
        let Self { rows, undecided, reports, found, .. } = self;
        let places = reports.len();
        let mut text = Vec::new();
        if !rows.is_empty() {
            text.push(table(["where", "place", "what", "how sure", "count"], rows));
        }
        let open = undecided.len();
        text.extend(undecided);
        let least = if open > 0 { "at least " } else { "" };
        text.push(format!("{}: {places} scanned, {least}{found} found, {open} undecided", verdict.as_str()));
        output.say(&text.join("\n"), value)?;
        match verdict {
            Verdict::Clean => Ok(()),
            Verdict::Undecided => {
                let text = format!("{open} things could not be read or judged, so nothing is proven to be clean");
                Err(Failure::Coded("undecided", text))
            }
            Verdict::Found => Err(Failure::Checked(format!("{least}{found} values are where they should not be"))),
        }
    }
}

fn verdict(is_found: bool, is_undecided: bool) -> Verdict {
    match (is_found, is_undecided) {
        (true, _) => Verdict::Found,
        (false, true) => Verdict::Undecided,
        (false, false) => Verdict::Clean,
    }
}

fn shown(finding: &Finding) -> String {
    match (finding.kind(), finding.known(), finding.encoding()) {
        (Kind::KnownValue, Some(known), Some(encoding)) => format!("{} {known}, as {encoding}", finding.kind()),
        (kind, ..) => kind.to_string(),
    }
}

fn finding_as_json(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind().as_str(), "certainty": finding.certainty().as_str(), "place": finding.place(), "line": finding.line(),
        "known": finding.known(), "encoding": finding.encoding(), "count": finding.count(),
    })
}

fn undecided_as_json(undecided: &Undecided) -> Value {
    json!({ "code": undecided.code(), "place": undecided.place(), "count": undecided.count(), "text": undecided.text() })
}
