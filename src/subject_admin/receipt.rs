//! Reports: what a call on subjects did.

use std::fmt;
use std::time::Duration;

use super::to_clear::IndexToClear;
use crate::error::{Error, ErrorKind};

/// A receipt that a subject was shredded, for the records of whoever asked for it. Times are Unix seconds.
#[derive(Clone, PartialEq, Eq)]
pub struct ShredReceipt {
    keyspace: String,
    subject: String,
    shredded_at: u64,
    effective_at: u64,
    complete_at: u64,
    was_known: bool,
    to_clear: Vec<IndexToClear>,
}

impl ShredReceipt {
    /// What shredding a subject does not reach, to be filed with the receipt.
    pub const NOT_COVERED: &'static [&'static str] = &[
        "fields that were sealed without a subject (`Record::subject`)",
        "index columns that the receipt does not list (`SubjectAdmin::indexed`)",
        "columns that are not sealed, and plaintext elsewhere: exports, logs, search indexes, messages",
        "copies of the subject's wrapped key outside of its store and of the backups that are counted here",
    ];

    pub(super) fn new(keyspace: &str, subject: &str, shredded_at: u64, was_known: bool) -> Self {
        let (keyspace, subject) = (keyspace.to_owned(), subject.to_owned());
        let (effective_at, complete_at) = (shredded_at, shredded_at);
        Self { keyspace, subject, shredded_at, effective_at, complete_at, was_known, to_clear: Vec::new() }
    }

    /// Sets the times: keys are held for `cached` more, and backups are kept for `kept`.
    pub(super) fn complete(self, now: u64, cached: Duration, kept: Duration) -> Self {
        let after = |time: Duration| self.shredded_at.max(now).saturating_add(time.as_secs());
        Self { effective_at: after(cached), complete_at: after(cached.max(kept)), ..self }
    }

    /// Lists what is to be cleared.
    pub(super) fn still(self, to_clear: &[IndexToClear]) -> Self {
        Self { to_clear: to_clear.to_vec(), ..self }
    }

    /// The index columns are cleared now, and backups of them are kept for `kept`.
    pub(super) fn cleared(self, now: u64, kept: Duration) -> Result<Self, Error> {
        if now < self.effective_at {
            return Err(ErrorKind::ClearedTooEarly.into());
        }
        let complete_at = self.complete_at.max(now.saturating_add(kept.as_secs()));
        Ok(Self { complete_at, to_clear: Vec::new(), ..self })
    }

    /// The keyspace.
    #[must_use]
    pub fn keyspace(&self) -> &str {
        &self.keyspace
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the store had a key of the subject, or knew that it was shredded before. If not, nothing was ever sealed for it, or the id
    /// is wrong.
    #[must_use]
    pub fn was_known(&self) -> bool {
        self.was_known
    }

    /// When its key was destroyed in the store.
    #[must_use]
    pub fn shredded_at(&self) -> u64 {
        self.shredded_at
    }

    /// When no `SubjectKeys` holds its key any more: five minutes after the shredding. A program that keeps a key for longer than a
    /// request has it for longer.
    #[must_use]
    pub fn effective_at(&self) -> u64 {
        self.effective_at
    }

    /// The index columns that still have to lose the subject's values: those of every record type that
    /// [`SubjectAdmin::indexed`](crate::subjects::SubjectAdmin::indexed) named, until
    /// [`indexes_cleared`](crate::subjects::SubjectAdmin::indexes_cleared).
    #[must_use]
    pub fn to_clear(&self) -> &[IndexToClear] {
        &self.to_clear
    }

    /// When no backup of the store has its key any more, if backups are kept no longer than you said. `None` while index columns are
    /// [to be cleared](Self::to_clear); afterwards, no backup of these has a value of the subject from then on either.
    #[must_use]
    pub fn complete_at(&self) -> Option<u64> {
        self.to_clear.is_empty().then_some(self.complete_at)
    }

    /// When no backup of the store has its key any more, whatever index columns hold.
    pub(super) fn key_gone_at(&self) -> u64 {
        self.complete_at
    }
}

impl fmt::Debug for ShredReceipt {
    /// Leaves out the subject, which identifies a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShredReceipt")
            .field("keyspace", &self.keyspace)
            .field("shredded_at", &self.shredded_at)
            .field("complete_at", &self.complete_at())
            .field("to_clear", &self.to_clear.len())
            .finish_non_exhaustive()
    }
}

/// What [`SubjectAdmin::reapply`](crate::subjects::SubjectAdmin::reapply) did.
#[derive(Default)]
pub struct Reapplied {
    shredded: u64,
    unknown: u64,
    before: u64,
    retained: Vec<(String, String)>,
    ahead: Vec<(String, String)>,
    failed: Vec<(String, String, Error)>,
    to_clear: Vec<(String, String)>,
}

impl Reapplied {
    /// How many subjects this call shredded.
    #[must_use]
    pub fn shredded(&self) -> u64 {
        self.shredded
    }

    /// How many subjects were shredded already.
    #[must_use]
    pub fn shredded_before(&self) -> u64 {
        self.before
    }

    /// How many of the subjects that this call shredded were unknown to the store. If it is all of them, this may be the wrong store.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Keyspace and id of each subject that could not be shredded, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &str, &Error)> {
        self.failed.iter().map(|(keyspace, subject, error)| (keyspace.as_str(), subject.as_str(), error))
    }

    /// Keyspace and id of each subject that is shredded, if [`SubjectAdmin::indexed`](crate::subjects::SubjectAdmin::indexed) named index
    /// columns. A restored database has its index values again, so clear them again. It makes no difference whether this call or an
    /// earlier one shredded the subject.
    pub fn to_clear(&self) -> impl Iterator<Item = (&str, &str)> {
        self.to_clear.iter().map(|(keyspace, subject)| (keyspace.as_str(), subject.as_str()))
    }

    pub(super) fn add_to_clear(&mut self, keyspace: String, subject: String) {
        self.to_clear.push((keyspace, subject));
    }

    pub(super) fn add_now(&mut self, was_known: bool) {
        self.shredded = self.shredded.saturating_add(1);
        self.unknown = self.unknown.saturating_add(u64::from(!was_known));
    }

    pub(super) fn add_failed(&mut self, keyspace: String, subject: String, error: Error) {
        self.failed.push((keyspace, subject, error));
    }

    pub(super) fn add_before(&mut self) {
        self.before = self.before.saturating_add(1);
    }

    pub(super) fn add_retained(&mut self, keyspace: String, subject: String) {
        self.retained.push((keyspace, subject));
    }

    /// Keyspace and id of each subject whose line in the log has a time more than a minute in the future. Either a clock was wrong, there
    /// or here, or somebody else wrote the line. Whether the subject was shredded does not depend on this.
    pub fn ahead(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ahead.iter().map(|(keyspace, subject)| (keyspace.as_str(), subject.as_str()))
    }

    pub(super) fn add_ahead(&mut self, keyspace: String, subject: String) {
        self.ahead.push((keyspace, subject));
    }

    /// Keyspace and id of each subject that was not shredded, because its retention forbids it. The retention was set since, or a restore
    /// brought it back.
    pub fn retained(&self) -> impl Iterator<Item = (&str, &str)> {
        self.retained.iter().map(|(keyspace, subject)| (keyspace.as_str(), subject.as_str()))
    }
}

impl fmt::Debug for Reapplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reapplied")
            .field("shredded", &self.shredded)
            .field("unknown", &self.unknown)
            .field("before", &self.before)
            .field("retained", &self.retained.len())
            .field("ahead", &self.ahead.len())
            .field("failed", &self.failed.len())
            .field("to_clear", &self.to_clear.len())
            .finish()
    }
}

/// What [`SubjectAdmin::rewrap`](crate::subjects::SubjectAdmin::rewrap) did.
#[derive(Default)]
pub struct RewrapReport {
    pub(super) rewrapped: u64,
    pub(super) before: u64,
    pub(super) failed: Vec<(String, Error)>,
}

impl RewrapReport {
    /// How many keys this call wrapped under the primary.
    #[must_use]
    pub fn rewrapped(&self) -> u64 {
        self.rewrapped
    }

    /// How many keys needed no change, because they were under the primary or a newer DEK. If this, [`rewrapped`](Self::rewrapped) and
    /// [`failed`](Self::failed) are all 0, the store has no subject of this keyspace: check that it is the right store.
    #[must_use]
    pub fn before(&self) -> u64 {
        self.before
    }

    /// The subjects whose key was left as it was, and why: it is under a compromised DEK (`key-compromised`), or damaged.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.failed.iter().map(|(subject, error)| (subject.as_str(), error))
    }
}

impl fmt::Debug for RewrapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RewrapReport")
            .field("rewrapped", &self.rewrapped)
            .field("before", &self.before)
            .field("failed", &self.failed.len())
            .finish()
    }
}
