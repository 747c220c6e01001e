//! What a store of subject keys has to do itself.

use std::sync::Arc;

use super::row::{SubjectChange, SubjectRow};
use crate::error::Error;
use crate::store::StoreFuture;

/// Rows and whose they are. An error in place of a row: something is stored of this subject that cannot be read, such as a damaged file.
/// A store that cannot be asked at all ends the whole call with an error.
pub type SubjectRows = Vec<(String, Result<SubjectRow, Error>)>;

/// The rows of a store of your own. Whatever implements it is a [`SubjectKeyStore`](crate::store::SubjectKeyStore), with the same rules as every other one.
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
