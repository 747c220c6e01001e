//! What was done.

use std::fmt;
use std::time::Duration;

use crate::error::Error;

/// That a subject was shredded, for the file of whoever asked for it. Times are Unix seconds.
#[derive(Clone, PartialEq, Eq)]
pub struct ShredReceipt {
    keyspace: String,
    subject: String,
    shredded_at: u64,
    effective_at: u64,
    complete_at: u64,
    had_key: bool,
}

impl ShredReceipt {
    /// What shredding a subject does not reach, for the same file.
    pub const NOT_COVERED: &'static [&'static str] = &[
        "fields that were sealed without a subject (`Record::subject`)",
        "columns that are not sealed, and plaintext elsewhere: exports, logs, search indexes, messages",
        "copies of the subject's wrapped key outside of its store and of the backups counted here",
    ];

    pub(super) fn new(
        keyspace: &str,
        subject: &str,
        shredded_at: u64,
        cached: Duration,
        backups_kept: Duration,
    ) -> Self {
        let after = |time: Duration| shredded_at.saturating_add(time.as_secs());
        Self {
            keyspace: keyspace.to_owned(),
            subject: subject.to_owned(),
            shredded_at,
            effective_at: after(cached),
            complete_at: after(cached.max(backups_kept)),
            had_key: true,
        }
    }

    pub(super) fn of_nobody(self, nobody: bool) -> Self {
        Self { had_key: !nobody, ..self }
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

    /// Whether the store knew the subject: a key, or that it was shredded before. Where not, nothing was ever sealed for it, or its id
    /// is another.
    #[must_use]
    pub fn had_key(&self) -> bool {
        self.had_key
    }

    /// When its key was destroyed in the store.
    #[must_use]
    pub fn shredded_at(&self) -> u64 {
        self.shredded_at
    }

    /// From when on no `SubjectKeys` holds its key any more: five minutes later. A program that keeps what it was given longer than a
    /// request keeps it longer.
    #[must_use]
    pub fn effective_at(&self) -> u64 {
        self.effective_at
    }

    /// From when on no backup of the store has its key any more, if backups are kept no longer than was said.
    #[must_use]
    pub fn complete_at(&self) -> u64 {
        self.complete_at
    }
}

impl fmt::Debug for ShredReceipt {
    /// Without the subject, which names a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShredReceipt")
            .field("keyspace", &self.keyspace)
            .field("shredded_at", &self.shredded_at)
            .field("complete_at", &self.complete_at)
            .finish_non_exhaustive()
    }
}

/// What [`SubjectAdmin::reapply`](crate::SubjectAdmin::reapply) did.
#[derive(Default)]
pub struct Reapplied {
    shredded: u64,
    before: u64,
    retained: Vec<(String, String)>,
}

impl Reapplied {
    /// How many subjects were shredded by this call.
    #[must_use]
    pub fn shredded(&self) -> u64 {
        self.shredded
    }

    /// How many were shredded already.
    #[must_use]
    pub fn shredded_before(&self) -> u64 {
        self.before
    }

    pub(super) fn add_now(&mut self) {
        self.shredded = self.shredded.saturating_add(1);
    }

    pub(super) fn add_before(&mut self) {
        self.before = self.before.saturating_add(1);
    }

    pub(super) fn add_retained(&mut self, keyspace: String, subject: String) {
        self.retained.push((keyspace, subject));
    }

    /// Keyspace and subject of those whose retention forbids it since, and who are not.
    pub fn retained(&self) -> impl Iterator<Item = (&str, &str)> {
        self.retained.iter().map(|(keyspace, subject)| (keyspace.as_str(), subject.as_str()))
    }
}

impl fmt::Debug for Reapplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reapplied")
            .field("shredded", &self.shredded)
            .field("before", &self.before)
            .field("retained", &self.retained.len())
            .finish()
    }
}

/// What [`SubjectAdmin::rewrap`](crate::SubjectAdmin::rewrap) did.
#[derive(Default)]
pub struct RewrapReport {
    pub(super) rewrapped: u64,
    pub(super) failed: Vec<(String, Error)>,
}

impl RewrapReport {
    /// How many keys are under the primary now that were not before.
    #[must_use]
    pub fn rewrapped(&self) -> u64 {
        self.rewrapped
    }

    /// The subjects whose key stayed where it was, and why: under a compromised DEK (`key-compromised`), or damaged.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.failed.iter().map(|(subject, error)| (subject.as_str(), error))
    }
}

impl fmt::Debug for RewrapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RewrapReport").field("rewrapped", &self.rewrapped).field("failed", &self.failed.len()).finish()
    }
}
