//! What an observer hears of a search.

use super::open_event::{OpenEvent, OpenedRecord, Opening};
use crate::id::KeyId;

/// What a search asked for, beside its candidates. The crate rxseal-search makes it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    indexes: &'a [&'static str],
    roots: &'a [KeyId],
    opened_before: usize,
}

impl<'a> Asked<'a> {
    /// The ids of the indexes, and the index roots under which they were asked.
    #[must_use]
    pub fn new(indexes: &'a [&'static str], roots: &'a [KeyId]) -> Self {
        Self { indexes, roots, opened_before: 0 }
    }

    /// The same for a later page: how many candidates of this search were opened before.
    #[must_use]
    pub fn opened_before(self, candidates: usize) -> Self {
        Self { opened_before: candidates, ..self }
    }
}

/// A search whose candidates are to be opened: one page of them.
///
/// A candidate is a row that a search found in the database. Most candidates of a good index are *strangers*: they are opened, compared
/// and wiped inside of rxseal, and nobody sees them. What is left are the *hits*.
#[derive(Clone, Copy, Debug)]
pub struct Searching<'a> {
    pub(crate) opening: Opening<'a>,
    pub(crate) asked: Asked<'a>,
}

impl<'a> Searching<'a> {
    /// Who searches and why, and the candidates as its records.
    #[must_use]
    pub fn opening(&self) -> &Opening<'a> {
        &self.opening
    }

    /// The ids of the indexes that were asked. What they were asked for is not told.
    #[must_use]
    pub fn indexes(&self) -> &'a [&'static str] {
        self.asked.indexes
    }

    /// The index roots under which they were asked.
    #[must_use]
    pub fn index_roots(&self) -> &'a [KeyId] {
        self.asked.roots
    }

    /// How many candidates this page has.
    #[must_use]
    pub fn candidates(&self) -> usize {
        self.opening.records.len()
    }

    /// How many candidates of the same search were opened in pages before this one.
    #[must_use]
    pub fn opened_before(&self) -> usize {
        self.asked.opened_before
    }
}

/// What happened in one page of a search.
#[derive(Clone, Copy, Debug)]
pub struct SearchEvent<'a> {
    pub(crate) searching: Searching<'a>,
    pub(crate) opened: OpenEvent<'a>,
    /// The places of the hits among the candidates.
    pub(crate) hits: &'a [usize],
    pub(crate) not_opened: usize,
}

impl<'a> SearchEvent<'a> {
    /// What was searched, by whom and why.
    #[must_use]
    pub fn searching(&self) -> &Searching<'a> {
        &self.searching
    }

    /// The candidates that were handed out: who searched has seen these.
    pub fn hits(&self) -> impl Iterator<Item = OpenedRecord<'a>> + use<'a> {
        let candidates = self.searching.opening.records;
        self.hits.iter().filter_map(move |place| candidates.get(*place).copied())
    }

    /// How many candidates did not open. Who searched got an error for each.
    #[must_use]
    pub fn not_opened(&self) -> usize {
        self.not_opened
    }

    /// The same as an opening of all candidates: which classes and keys were used, and how it ended.
    #[must_use]
    pub fn opened(&self) -> &OpenEvent<'a> {
        &self.opened
    }
}
