//! What is stored of one subject, and how it changes: the same in every store.

use std::fmt;

use super::stored::{Retention, StoredSubject};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::key::WrappedSubjectKey;

/// What a store keeps of one subject. Its default is the row of a subject of which nothing is stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SubjectRow {
    /// The bytes of the wrapped key, whole or damaged: also what is damaged can be shredded.
    pub key: Option<Vec<u8>>,
    /// When the key was shredded, in Unix seconds.
    pub shredded_at: Option<u64>,
    /// Until when the key must be kept.
    pub retention: Retention,
}

/// A [`SubjectRow`] as the columns of an SQL table: the wrapped key, when it was shredded and until when it is kept (both in Unix seconds), and
/// whether a legal hold is on it.
pub type SubjectColumns = (Option<Vec<u8>>, Option<i64>, Option<i64>, bool);

impl SubjectRow {
    /// The row that is stored in these columns.
    #[must_use]
    pub fn from_columns((key, shredded_at, retain_until, legal_hold): SubjectColumns) -> Self {
        // Before 1970 is nothing that is ever written; the tombstone counts all the same.
        let seconds = |at: i64| u64::try_from(at).unwrap_or_default();
        let retention = Retention::default().until(retain_until.map(seconds)).legal_hold(legal_hold);
        Self { key, shredded_at: shredded_at.map(seconds), retention }
    }

    /// The columns to store.
    #[must_use]
    pub fn into_columns(self) -> SubjectColumns {
        let to_sql = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let until = self.retention.retained_until().map(to_sql);
        (self.key, self.shredded_at.map(to_sql), until, self.retention.is_held())
    }

    /// What the row says of the subject's key.
    #[must_use]
    pub fn stored(&self) -> StoredSubject {
        match (&self.key, self.shredded_at) {
            // A tombstone counts more than a key beside it, which nobody puts there but a restore gone wrong.
            (_, Some(at)) => StoredSubject::Shredded { at },
            (Some(key), None) => {
                WrappedSubjectKey::try_from(key.as_slice()).map_or(StoredSubject::Damaged, StoredSubject::Key)
            }
            (None, None) => StoredSubject::Absent,
        }
    }

    /// Whether the row has a key, whole or damaged, that was not shredded: whether it belongs into a page.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some() && self.shredded_at.is_none()
    }
}

/// The length of the key, and not its bytes.
impl fmt::Debug for SubjectRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, shredded_at, retention } = self;
        let key_len = key.as_ref().map(Vec::len);
        let mut row = f.debug_struct("SubjectRow");
        row.field("key_len", &key_len).field("shredded_at", shredded_at).field("retention", retention).finish()
    }
}

/// A change of one subject's row, for a [`SubjectTable`](crate::provider::SubjectTable) to carry out. It has the rules: a tombstone
/// stays, a key that is retained is not shredded, and nothing is replaced that is not what the caller saw.
#[derive(Clone, Copy, Debug)]
pub struct SubjectChange<'a>(Change<'a>);

#[derive(Clone, Copy, Debug)]
enum Change<'a> {
    Insert(&'a WrappedSubjectKey),
    Replace { old: &'a WrappedSubjectKey, new: &'a WrappedSubjectKey },
    Shred { at: u64 },
    Retain { old: Retention, new: Retention },
}

impl<'a> SubjectChange<'a> {
    /// The row that is stored afterwards, if `row` is stored before. Where both are equal there is nothing to write. It may be asked more than
    /// once.
    ///
    /// # Errors
    ///
    /// `store-conflict`, `subject-retained` or `subject-shredded`: nothing may be changed. The store ends its call with this error.
    pub fn apply(&self, row: &SubjectRow) -> Result<SubjectRow, Error> {
        let mut row = row.clone();
        match self.0 {
            Change::Insert(key) => row.insert(key),
            Change::Replace { old, new } => row.replace(old, new)?,
            Change::Shred { at } => row.shred(at)?,
            Change::Retain { old, new } => row.retain(old, new)?,
        }
        Ok(row)
    }

    pub(super) fn insert(key: &'a WrappedSubjectKey) -> Self {
        Self(Change::Insert(key))
    }

    pub(super) fn replace(old: &'a WrappedSubjectKey, new: &'a WrappedSubjectKey) -> Self {
        Self(Change::Replace { old, new })
    }

    pub(super) fn shred(at: u64) -> Self {
        Self(Change::Shred { at })
    }

    pub(super) fn retain(old: Retention, new: Retention) -> Self {
        Self(Change::Retain { old, new })
    }
}

impl SubjectRow {
    fn insert(&mut self, key: &WrappedSubjectKey) {
        if self.stored() == StoredSubject::Absent {
            self.key = Some(key.as_bytes().to_vec());
        }
    }

    fn replace(&mut self, old: &WrappedSubjectKey, key: &WrappedSubjectKey) -> Result<(), Error> {
        if self.shredded_at.is_some() || self.key.as_deref() != Some(old.as_bytes()) {
            return Err(ErrorKind::StoreConflict.into());
        }
        self.key = Some(key.as_bytes().to_vec());
        Ok(())
    }

    fn retain(&mut self, old: Retention, retention: Retention) -> Result<(), Error> {
        if self.retention != old {
            return Err(ErrorKind::StoreConflict.into());
        }
        // It would keep nothing, and whoever asked for it would believe that it does.
        if self.shredded_at.is_some() && retention != old {
            return Err(ErrorKind::SubjectShredded.into());
        }
        self.retention = retention;
        Ok(())
    }

    fn shred(&mut self, at: u64) -> Result<(), Error> {
        // Not by the caller's time, which may come from a file.
        if self.shredded_at.is_none() && self.retention.holds_at(Clock::default().unix_now()) {
            return Err(ErrorKind::SubjectRetained.into());
        }
        self.key = None;
        self.shredded_at.get_or_insert(at);
        Ok(())
    }
}
