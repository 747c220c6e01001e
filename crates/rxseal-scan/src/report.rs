//! What a scan of one source or file says.

use std::collections::BTreeMap;

use rxseal::KeyId;

use crate::finding::{Finding, Undecided};
use crate::kind::{Certainty, Kind};

/// What a scan of one source or file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub(crate) name: Box<str>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) keys: BTreeMap<KeyId, u64>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) undecided: Vec<Undecided>,
}

/// What a [`Report`] comes to, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All of it was read, and nothing was found.
    Clean,
    /// Nothing was found, and not all of it could be read or judged.
    Undecided,
    /// Something was found.
    Found,
}

impl Verdict {
    /// As a program reads it: `clean`, `undecided` or `found`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Undecided => "undecided",
            Self::Found => "found",
        }
    }
}

impl Report {
    /// The source, as the map writes it after `at`, or the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows of a source, or lines of a file.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of a file. 0 for a source.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The tokens and record tags by key, wherever they are. No key is needed to see it.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, u64)> {
        self.keys.iter().map(|(key, count)| (*key, *count))
    }

    /// What was found: the certain first, then by place.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What could not be decided.
    #[must_use]
    pub fn undecided(&self) -> &[Undecided] {
        &self.undecided
    }

    /// What it comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.findings.is_empty(), self.undecided.is_empty()) {
            (false, _) => Verdict::Found,
            (true, false) => Verdict::Undecided,
            (true, true) => Verdict::Clean,
        }
    }

    pub(crate) fn add_key(&mut self, key: KeyId) {
        let count = self.keys.entry(key).or_default();
        *count = count.saturating_add(1);
    }
}

/// A value that is looked for, and an encoding, by their positions.
pub(crate) type KnownAt = (usize, usize);

/// What is counted together.
type Like = (Certainty, Kind, Option<KnownAt>);

/// What a place has so far, and the line of the first of each.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<Like, (u64, Option<u64>)>);

impl Tally {
    pub(crate) fn add(&mut self, kind: Kind, certainty: Certainty) {
        self.add_at(kind, certainty, None, || None);
    }

    /// With the value and encoding of a known value. The line is asked for once.
    pub(crate) fn add_at(
        &mut self,
        kind: Kind,
        certainty: Certainty,
        known: Option<KnownAt>,
        line: impl FnOnce() -> Option<u64>,
    ) {
        let (count, _) = self.0.entry((certainty, kind, known)).or_insert_with(|| (0, line()));
        *count = count.saturating_add(1);
    }

    pub(crate) fn add_many(&mut self, kind: Kind, certainty: Certainty, many: u64) {
        if many > 0 {
            let (count, _) = self.0.entry((certainty, kind, None)).or_default();
            *count = count.saturating_add(many);
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> u64 {
        let all = self.0.iter().filter(|((_, known, _), _)| *known == kind);
        all.fold(0, |sum, (_, (count, _))| sum.saturating_add(*count))
    }

    /// Its findings. `known` names a value and its encoding.
    pub(crate) fn findings(
        self,
        place: Option<&str>,
        known: impl Fn(KnownAt) -> (Box<str>, &'static str),
    ) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(move |((certainty, kind, value), (count, line))| {
            let (known, encoding) = value.map(&known).unzip();
            Finding { kind, certainty, place: place.map(Into::into), line, known, encoding, count }
        })
    }
}
