//! What is stored of one subject, and how it changes: the same in every store.

use super::{Retention, StoredSubject};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::key::WrappedSubjectKey;

/// A subject as a store keeps it, and what each call of a [`SubjectKeyStore`](crate::store::SubjectKeyStore) does to it.
///
/// A store reads the row and locks it, calls the method of the same name, and writes the row back if it has changed, all
/// in one transaction. A subject without a row is `SubjectRow::default()`.
///
/// ```
/// use rxseal::provider::SubjectRow;
/// use rxseal::store::StoredSubject;
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut row = SubjectRow::default();
/// assert_eq!(row.stored(), StoredSubject::Absent);
/// row.shred(1_764_460_800)?;
/// assert_eq!(row.stored(), StoredSubject::Shredded { at: 1_764_460_800 });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectRow {
    /// The wrapped key as it is stored, whole or damaged: a damaged one can be shredded too.
    pub key: Option<Vec<u8>>,
    /// When the subject was shredded, in Unix seconds.
    pub shredded_at: Option<u64>,
    /// Until when its key must be kept.
    pub retention: Retention,
}

impl SubjectRow {
    /// What the store answers about the subject.
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

    /// Whether it belongs into a [`page`](crate::store::SubjectKeyStore::page).
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some() && self.shredded_at.is_none()
    }

    /// Stores `key` if nothing is stored; gives what is stored then.
    pub fn insert(&mut self, key: &WrappedSubjectKey) -> StoredSubject {
        if self.stored() == StoredSubject::Absent {
            self.key = Some(key.as_bytes().to_vec());
        }
        self.stored()
    }

    /// Stores `key` in place of `old`.
    ///
    /// # Errors
    ///
    /// `store-conflict` if something else is stored.
    pub fn replace(&mut self, old: &WrappedSubjectKey, key: &WrappedSubjectKey) -> Result<(), Error> {
        if self.shredded_at.is_some() || self.key.as_deref() != Some(old.as_bytes()) {
            return Err(ErrorKind::StoreConflict.into());
        }
        self.key = Some(key.as_bytes().to_vec());
        Ok(())
    }

    /// Stores `retention` in place of `old`.
    ///
    /// # Errors
    ///
    /// `store-conflict` if another one is stored; `subject-shredded` if there is no key left to keep.
    pub fn retain(&mut self, old: Retention, retention: Retention) -> Result<(), Error> {
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

    /// Destroys the key and leaves a tombstone of `at`, in Unix seconds. Gives the time of the tombstone, which is an
    /// earlier one if the subject was shredded before.
    ///
    /// # Errors
    ///
    /// `subject-retained` if the key must be kept now, by the clock of this machine.
    pub fn shred(&mut self, at: u64) -> Result<u64, Error> {
        if let Some(before) = self.shredded_at {
            self.key = None;
            return Ok(before);
        }
        // Not by the caller's time, which may come from a file.
        if self.retention.holds_at(Clock::default().unix_now()) {
            return Err(ErrorKind::SubjectRetained.into());
        }
        self.key = None;
        self.shredded_at = Some(at);
        Ok(at)
    }
}

/// The public trait over what a store can do with rows: `get_now`, `change`, `retention_now` and `page_now`. With `await` for a store
/// where these are futures; one that blocks does so when it is awaited, and nothing for a caller who lets go of the future.
macro_rules! impl_subject_key_store {
    ($store:ty $(, $await:tt)?) => {
        impl $crate::store::SubjectKeyStore for $store {
            fn get<'a>(
                &'a self,
                keyspace: &'a str,
                subjects: &'a [&'a str],
            ) -> $crate::store::StoreFuture<'a, Vec<$crate::store::StoredSubject>> {
                Box::pin(async move { self.get_now(keyspace, subjects)$(.$await)? })
            }

            fn insert<'a>(
                &'a self,
                keyspace: &'a str,
                subject: &'a str,
                key: &'a $crate::key::WrappedSubjectKey,
            ) -> $crate::store::StoreFuture<'a, $crate::store::StoredSubject> {
                Box::pin(async move { self.change(keyspace, subject, |row| Ok(row.insert(key)))$(.$await)? })
            }

            fn replace<'a>(
                &'a self,
                keyspace: &'a str,
                subject: &'a str,
                old: &'a $crate::key::WrappedSubjectKey,
                key: &'a $crate::key::WrappedSubjectKey,
            ) -> $crate::store::StoreFuture<'a, ()> {
                Box::pin(async move { self.change(keyspace, subject, |row| row.replace(old, key))$(.$await)? })
            }

            fn shred<'a>(
                &'a self,
                keyspace: &'a str,
                subject: &'a str,
                at: u64,
            ) -> $crate::store::StoreFuture<'a, u64> {
                Box::pin(async move { self.change(keyspace, subject, move |row| row.shred(at))$(.$await)? })
            }

            fn retain<'a>(
                &'a self,
                keyspace: &'a str,
                subject: &'a str,
                old: $crate::store::Retention,
                retention: $crate::store::Retention,
            ) -> $crate::store::StoreFuture<'a, ()> {
                Box::pin(async move { self.change(keyspace, subject, move |row| row.retain(old, retention))$(.$await)? })
            }

            fn retention<'a>(
                &'a self,
                keyspace: &'a str,
                subject: &'a str,
            ) -> $crate::store::StoreFuture<'a, $crate::store::Retention> {
                Box::pin(async move { self.retention_now(keyspace, subject)$(.$await)? })
            }

            fn page<'a>(
                &'a self,
                keyspace: &'a str,
                after: Option<&'a str>,
                limit: usize,
            ) -> $crate::store::StoreFuture<'a, Vec<(String, $crate::store::StoredSubject)>> {
                Box::pin(async move { self.page_now(keyspace, after, limit)$(.$await)? })
            }
        }
    };
}
pub(super) use impl_subject_key_store;
