//! How a drill ended: for people, for programs, in the log, on a page, and as the exit status.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use rxseal_watch::ToolRun;
use serde_json::{Value, json};

use super::bench::Bench;
use super::page::page;
use super::undecided::Undecided;
use crate::audit::log::failed;
use crate::failure::Failure;
use crate::output::{Output, digest, digest_of_line, hex, now, table};

/// Undecided is never passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Passed,
    Undecided,
    Failed,
}

impl Verdict {
    /// A word for it, for programs and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
        }
    }
}

/// What is wrong: the drill failed.
pub struct Fault {
    pub code: &'static str,
    /// The source, or the keyspace.
    pub of: String,
    pub text: String,
}

impl Fault {
    pub fn new(code: &'static str, of: &str, text: impl Into<String>) -> Self {
        Self { code, of: of.to_owned(), text: text.into() }
    }
}

/// What a drill says.
pub struct Answer<const N: usize> {
    pub drill: &'static str,
    /// What the drill does, in a sentence.
    pub about: &'static str,
    pub titles: [&'static str; N],
    pub rows: Vec<[String; N]>,
    /// The first column that has numbers.
    pub numbers_from: usize,
    /// One sentence.
    pub summary: String,
    /// What counts most, with a word for each: for the page and the log.
    pub figures: Vec<(&'static str, u64)>,
    pub faults: Vec<Fault>,
    pub undecided: Vec<Undecided>,
    /// What only this drill says, for programs.
    pub value: Value,
}

impl<const N: usize> Answer<N> {
    pub fn verdict(&self) -> Verdict {
        match (self.faults.is_empty(), self.undecided.is_empty()) {
            (false, _) => Verdict::Failed,
            (true, false) => Verdict::Undecided,
            (true, true) => Verdict::Passed,
        }
    }

    /// Writes the page and the log, and prints it. Fails unless the drill passed.
    pub fn end(self, bench: &Bench, output: &Output) -> Result<(), Failure> {
        let (verdict, made_at) = (self.verdict(), now());
        let value = self.as_json(bench, made_at);
        let written = match &bench.page {
            Some(path) => {
                let html = page(&self, bench, made_at);
                write_new(path, &html).map(|()| digest(&html))
            }
            None => Ok(digest_of_line(&value)),
        };
        // The log says how the drill ended, whether there is a page or not.
        let logged = self.tell(bench, written.as_ref().ok().copied(), output);
        output.say(&self.as_text(), &value)?;
        match verdict {
            Verdict::Passed => {}
            Verdict::Failed => {
                return Err(Failure::Checked(format!("the drill failed in {} things", self.faults.len())));
            }
            Verdict::Undecided => {
                let text =
                    format!("{} things could not be tried, so the drill proves nothing of them", self.undecided.len());
                return Err(Failure::Coded("undecided", text));
            }
        }
        written?;
        logged
    }

    fn as_text(&self) -> String {
        let mut lines = vec![table(self.titles, self.rows.iter().cloned())];
        lines.extend(self.faults.iter().map(|fault| format!("failed  {}  {}: {}", fault.code, fault.of, fault.text)));
        lines.extend(self.undecided.iter().map(Undecided::as_text));
        lines.push(format!("{}: {}", self.verdict().as_str(), self.summary));
        lines.join("\n")
    }

    fn as_json(&self, bench: &Bench, made_at: u64) -> Value {
        let faults = self.faults.iter().map(|fault| json!({ "code": fault.code, "of": fault.of, "text": fault.text }));
        let rings =
            bench.rings.iter().map(|ring| json!({ "keyspace": ring.keyspace(), "generation": ring.generation() }));
        let mut value = json!({
            "drill": self.drill, "verdict": self.verdict().as_str(), "at": made_at, "by": bench.who, "map": hex(bench.map.digest()),
            "keyrings": rings.collect::<Vec<_>>(), "faults": faults.collect::<Vec<_>>(),
            "undecided": self.undecided.iter().map(Undecided::as_json).collect::<Vec<_>>(),
        });
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), &self.value) {
            value.extend(more.clone());
        }
        value
    }

    /// One event for each keyspace.
    fn tell(&self, bench: &Bench, written: Option<[u8; 32]>, output: &Output) -> Result<(), Failure> {
        let run = ToolRun::drill(&bench.who, self.drill, self.verdict().as_str()).map_err(failed)?;
        let run = self.figures.iter().fold(run.map(*bench.map.digest()), |run, (name, count)| run.number(name, *count));
        let run = match written {
            Some(digest) => run.wrote(digest),
            None => run,
        };
        for ring in &bench.rings {
            bench.config.journal.ran(&run.clone().keyspace(ring.keyspace()), output)?;
        }
        Ok(())
    }
}

/// A page that is there is never written over.
fn write_new(path: &Path, html: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(html.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display())))
}
