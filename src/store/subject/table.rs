//! What a store of subject keys has to do itself, and what is made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::row::{SubjectChange, SubjectRow};
use super::{Retention, StoredSubject, SubjectKeyStore};
use crate::error::Error;
use crate::key::WrappedSubjectKey;
use crate::store::StoreFuture;
use crate::store::row::{check_keyspace, check_subject};

/// Rows and whose they are. An error in place of a row: something is stored of this subject that cannot be read, such as a damaged file.
/// A store that cannot be asked at all ends the whole call with an error.
pub type SubjectRows = Vec<(String, Result<SubjectRow, Error>)>;

/// The rows of a store of your own. Whatever implements it is a [`SubjectKeyStore`], with the same rules as every other one.
///
/// Names were checked before: a keyspace is 1 to 64 characters of `a-z 0-9 . _ -`, a subject 1 to 255 bytes of printable ASCII without
/// space. A call ends in bounded time; what went wrong is told with [`Error::from_store`]. `rxseal-conformance` has tests for it.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::{Mutex, PoisonError};
///
/// use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable};
/// use rxseal::store::{StoreFuture, SubjectKeyStore};
///
/// #[derive(Default)]
/// struct Toy(Mutex<BTreeMap<(String, String), SubjectRow>>);
///
/// impl SubjectTable for Toy {
///     fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
///         Box::pin(async move {
///             let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///             let row = |subject: &str| rows.get(&(keyspace.to_owned(), subject.to_owned())).cloned();
///             Ok(subjects.iter().filter_map(|subject| Some((subject.to_string(), Ok(row(subject)?)))).collect())
///         })
///     }
///
///     fn change<'a>(
///         &'a self,
///         keyspace: &'a str,
///         subject: &'a str,
///         change: SubjectChange<'a>,
///     ) -> StoreFuture<'a, SubjectRow> {
///         Box::pin(async move {
///             // Nobody else changes a row between reading and writing it.
///             let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///             let row = rows.entry((keyspace.to_owned(), subject.to_owned())).or_default();
///             *row = change.apply(row)?;
///             Ok(row.clone())
///         })
///     }
///
///     fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
///         Box::pin(async move {
///             let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///             let found = rows.iter().filter(|((of, subject), row)| of == keyspace && **subject > *after && row.has_key());
///             Ok(found.take(limit).map(|((_, subject), row)| (subject.clone(), Ok(row.clone()))).collect())
///         })
///     }
/// }
/// # fn main() -> Result<(), rxseal::Error> {
/// let store = Toy::default();
/// assert_eq!(rxseal::run_local(store.shred("pharmacy-17", "P-7", 1_000))?, 1_000);
/// assert_eq!(rxseal::run_local(store.shred("pharmacy-17", "P-7", 2_000))?, 1_000, "a tombstone stays");
/// # Ok(())
/// # }
/// ```
pub trait SubjectTable: Send + Sync {
    /// The rows of these subjects, in any order, with one query for all. A subject of which nothing is stored is left out, or is
    /// `SubjectRow::default()`.
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows>;

    /// Puts `change.apply(&row)` in place of the subject's row (`SubjectRow::default()` where nothing is stored), durably, as a whole, and
    /// such that nobody else changes the row between. Gives what is stored then. An error of `apply` is the call's own, and nothing is
    /// changed; nor is anything where the row cannot be read, since a hold may be in it.
    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow>;

    /// The first `limit` rows that [have a key](SubjectRow::has_key) or cannot be read, of subjects behind `after`, which may be empty; in
    /// ascending order of the subjects' bytes.
    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows>;
}

impl<T: SubjectTable + ?Sized> SubjectTable for Arc<T> {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        (**self).rows(keyspace, subjects)
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        (**self).change(keyspace, subject, change)
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        (**self).rows_after(keyspace, after, limit)
    }
}

impl<T: SubjectTable + ?Sized> SubjectKeyStore for T {
    fn get<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, Vec<StoredSubject>> {
        Box::pin(async move {
            subjects.iter().try_for_each(|subject| check_subject(keyspace, subject))?;
            let rows = self.rows(keyspace, subjects).await?;
            // No map that hashes: std's draws a random key for it, and panics where there is none.
            let found: BTreeMap<_, _> = rows.into_iter().map(|(subject, row)| (subject, stored(row))).collect();
            // A subject that is named twice is there twice.
            Ok(subjects.iter().map(|subject| found.get(*subject).cloned().unwrap_or(StoredSubject::Absent)).collect())
        })
    }

    fn insert<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, StoredSubject> {
        Box::pin(async move { Ok(changed(self, keyspace, subject, SubjectChange::insert(key)).await?.stored()) })
    }

    fn replace<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: &'a WrappedSubjectKey,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move { changed(self, keyspace, subject, SubjectChange::replace(old, key)).await.map(drop) })
    }

    fn shred<'a>(&'a self, keyspace: &'a str, subject: &'a str, at: u64) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let row = changed(self, keyspace, subject, SubjectChange::shred(at)).await?;
            row.shredded_at.ok_or_else(|| Error::from_store(false, NOT_SHREDDED))
        })
    }

    fn retain<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: Retention,
        retention: Retention,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move { changed(self, keyspace, subject, SubjectChange::retain(old, retention)).await.map(drop) })
    }

    fn retention<'a>(&'a self, keyspace: &'a str, subject: &'a str) -> StoreFuture<'a, Retention> {
        Box::pin(async move {
            check_subject(keyspace, subject)?;
            let rows = self.rows(keyspace, &[subject]).await?;
            let row = rows.into_iter().find(|(of, _)| of == subject);
            row.map_or(Ok(Retention::default()), |(_, row)| Ok(row?.retention))
        })
    }

    fn page<'a>(
        &'a self,
        keyspace: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<(String, StoredSubject)>> {
        Box::pin(async move {
            check_keyspace(keyspace)?;
            // No id is empty, so the empty one is before all.
            let rows = self.rows_after(keyspace, after.unwrap_or_default(), limit).await?;
            Ok(rows.into_iter().map(|(subject, row)| (subject, stored(row))).collect())
        })
    }
}

const NOT_SHREDDED: &str = "the store says that the key is shredded, and shows no tombstone: look at what is stored";

async fn changed<T: SubjectTable + ?Sized>(
    table: &T,
    keyspace: &str,
    subject: &str,
    change: SubjectChange<'_>,
) -> Result<SubjectRow, Error> {
    check_subject(keyspace, subject)?;
    table.change(keyspace, subject, change).await
}

fn stored(row: Result<SubjectRow, Error>) -> StoredSubject {
    row.map_or(StoredSubject::Damaged, |row| row.stored())
}
