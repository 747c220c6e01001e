//! Where wrapped subject keys are kept, apart from the data and apart from the keyrings.

#[cfg(unix)]
mod file;
mod memory;
#[cfg(feature = "postgres-store")]
mod postgres;
mod row;
mod table;

use std::time::Duration;

#[cfg(unix)]
pub use file::FileSubjectStore;
pub use memory::MemorySubjectStore;
#[cfg(feature = "postgres-store")]
pub use postgres::PostgresSubjectStore;
pub use row::{SubjectChange, SubjectColumns, SubjectRow};
pub use table::{SubjectRows, SubjectTable};

use super::StoreFuture;
use crate::key::WrappedSubjectKey;

/// For how long a program may hold a key after it asked a store for it (THREAT-MODEL N38): then a shredding is effective.
pub(crate) const HELD_AT_MOST: Duration = Duration::from_secs(300);

/// What a store holds of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredSubject {
    /// Nothing: no key was made for it yet.
    Absent,
    /// Its wrapped key.
    Key(WrappedSubjectKey),
    /// Something that is no wrapped key. Restore it, or its fields are lost.
    Damaged,
    /// Its key was destroyed, and no other one is ever made.
    Shredded {
        /// When, in Unix seconds.
        at: u64,
    },
}

/// Until when a subject's key must not be destroyed, by the clock of whoever asks for it.
///
/// ```
/// use rxseal::store::Retention;
/// let until = 1_924_992_000; // 2031-01-01
/// let retention = Retention::default().until(Some(until)).legal_hold(true);
/// assert!(retention.holds_at(until + 1));
/// assert!(!retention.legal_hold(false).holds_at(until + 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    until: Option<u64>,
    legal_hold: bool,
}

impl Retention {
    /// The law asks for the records until then, in Unix seconds: pharmacy records must be kept for years.
    #[must_use]
    pub fn until(mut self, seconds: Option<u64>) -> Self {
        self.until = seconds;
        self
    }

    /// A court or a payer asks for them, until somebody says otherwise.
    #[must_use]
    pub fn legal_hold(mut self, hold: bool) -> Self {
        self.legal_hold = hold;
        self
    }

    /// Until when the law asks for the records, in Unix seconds.
    #[must_use]
    pub fn retained_until(&self) -> Option<u64> {
        self.until
    }

    /// Whether somebody asks for them until further notice.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.legal_hold
    }

    /// Whether the key must not be destroyed at that time, in Unix seconds.
    #[must_use]
    pub fn holds_at(&self, seconds: u64) -> bool {
        self.legal_hold || self.until.is_some_and(|until| until > seconds)
    }
}

/// Keeps the wrapped subject keys of keyspaces, and which of them were shredded.
///
/// A patient's fields are gone when their subject key is gone *everywhere*: so keep this store apart from the data, and its backups
/// for a short time only. A call ends in bounded time, and changes one subject as a whole or not at all.
///
/// A store of your own implements [`SubjectTable`](crate::provider::SubjectTable), and is a `SubjectKeyStore` by that.
pub trait SubjectKeyStore: SubjectTable {
    /// What is stored of each of `subjects`, in their order, with one query for all.
    fn get<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, Vec<StoredSubject>>;

    /// Stores `key` if nothing is stored of the subject; gives what is stored then. So of two programs that meet a new patient at
    /// once both use the same key.
    fn insert<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, StoredSubject>;

    /// Stores `key` in place of `old`, which is the same subject key under another DEK. Ends with
    /// [`Error::store_conflict`](crate::Error::store_conflict) where something else is stored.
    fn replace<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: &'a WrappedSubjectKey,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, ()>;

    /// Destroys the subject's key and leaves a tombstone of `at` (Unix seconds), also where there was no key. Gives when it was
    /// shredded, which is earlier than `at` where it was before. Ends with
    /// `subject-retained` while its retention asks for it: now, by the clock of whoever carries
    /// it out, whatever `at` says. A tombstone stays, whatever else is stored of the subject.
    fn shred<'a>(&'a self, keyspace: &'a str, subject: &'a str, at: u64) -> StoreFuture<'a, u64>;

    /// Sets until when the subject's key must not be destroyed, in place of `old`, which is `Retention::default()` at first. Ends with
    /// [`Error::store_conflict`](crate::Error::store_conflict) where something else is stored: a hold of somebody else is never lost.
    /// What was shredded cannot be kept: a change is refused.
    fn retain<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: Retention,
        retention: Retention,
    ) -> StoreFuture<'a, ()>;

    /// What [`retain`](Self::retain) set last.
    fn retention<'a>(&'a self, keyspace: &'a str, subject: &'a str) -> StoreFuture<'a, Retention>;

    /// At most `limit` subjects that have a key, whole or damaged, in ascending order of their ids, after `after`.
    fn page<'a>(
        &'a self,
        keyspace: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<(String, StoredSubject)>>;
}
