//! What a drill says, and whether it passed.

use serde_json::Value;

use super::fault::Fault;
use super::undecided::Undecided;

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
    /// The same of one keyspace, for its line in the log.
    pub of_keyspaces: Vec<(String, Vec<(&'static str, u64)>)>,
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
}
