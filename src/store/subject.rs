//! Stores of wrapped subject keys, which are kept apart from the data and from the keyrings.

#[cfg(unix)]
mod file;
mod memory;
mod row;
mod stored;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(unix)]
pub use file::FileSubjectStore;
pub use memory::MemorySubjectStore;
pub use row::{SubjectChange, SubjectColumns, SubjectRow};
pub use stored::{Retention, StoredSubject};
pub use table::{SubjectRows, SubjectTable};

use super::StoreFuture;
use super::row::{check_keyspace, check_subject};
use crate::error::Error;
use crate::key::WrappedSubjectKey;

/// How long a program may hold a key after it asked a store for it (THREAT-MODEL N38). After that, a shredding is effective.
pub(crate) const HELD_AT_MOST: Duration = Duration::from_secs(300);

/// Keeps the wrapped subject keys of keyspaces, and a record of which were shredded.
///
/// A patient's fields are gone once their subject key is gone *everywhere*. So keep this store apart from the data, and keep its
/// backups only for a short time. Each call ends in bounded time, and changes one subject as a whole or not at all.
///
/// For a store of your own, implement [`SubjectTable`]: that makes it a `SubjectKeyStore`.
pub trait SubjectKeyStore: SubjectTable {
    /// What is stored for each of `subjects`, in their order, with one query for all of them.
    fn get<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, Vec<StoredSubject>>;

    /// Stores `key` if nothing is stored for the subject. Returns what is stored then, so that two programs that meet a new patient at
    /// once use the same key.
    fn insert<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, StoredSubject>;

    /// Stores `key` in place of `old`, which is the same subject key under another DEK. Ends with
    /// [`Error::store_conflict`](crate::Error::store_conflict) if something else is stored.
    fn replace<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: &'a WrappedSubjectKey,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, ()>;

    /// Destroys the subject's key and leaves a tombstone of `at` (Unix seconds), even if there was no key. Returns when it was shredded,
    /// which is earlier than `at` if it was shredded before. Ends with `subject-retained` if its retention forbids this now, by the clock
    /// of whoever carries it out, whatever `at` says. A tombstone stays, whatever else is stored for the subject.
    fn shred<'a>(&'a self, keyspace: &'a str, subject: &'a str, at: u64) -> StoreFuture<'a, u64>;

    /// Sets until when the subject's key must not be destroyed, in place of `old`, which is `Retention::default()` at first. Ends with
    /// [`Error::store_conflict`](crate::Error::store_conflict) if something else is stored, so that nobody's hold is lost. A subject that
    /// was shredded cannot be kept, so its retention cannot be changed.
    fn retain<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: Retention,
        retention: Retention,
    ) -> StoreFuture<'a, ()>;

    /// The retention that [`retain`](Self::retain) set last.
    fn retention<'a>(&'a self, keyspace: &'a str, subject: &'a str) -> StoreFuture<'a, Retention>;

    /// At most `limit` subjects that have a key, whole or damaged, in ascending order of their ids. They begin after `after`.
    fn page<'a>(
        &'a self,
        keyspace: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<(String, StoredSubject)>>;
}

impl<T: SubjectTable + ?Sized> SubjectKeyStore for T {
    fn get<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, Vec<StoredSubject>> {
        Box::pin(async move {
            subjects.iter().try_for_each(|subject| check_subject(keyspace, subject))?;
            let rows = self.rows(keyspace, subjects).await?;
            // A tree and not a hash map, because std draws a random key for that, and panics if it gets none.
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
            // A receipt is no matter of trust in a store that somebody else wrote.
            let gone = row.shredded_at.filter(|_| row.key.is_none());
            gone.ok_or_else(|| Error::from_store(false, NOT_SHREDDED))
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

const NOT_SHREDDED: &str =
    "the store says that the key is shredded, and shows no tombstone or still the key: look at what is stored";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root_key::run_local;
    use crate::testing::insecure_keyring;

    /// A store that says what it likes after a change.
    struct Careless(fn(SubjectRow) -> SubjectRow);

    impl SubjectTable for Careless {
        fn rows<'a>(&'a self, _: &'a str, _: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn change<'a>(&'a self, _: &'a str, _: &'a str, change: SubjectChange<'a>) -> StoreFuture<'a, SubjectRow> {
            Box::pin(async move { Ok(self.0(change.apply(&SubjectRow::default())?)) })
        }

        fn rows_after<'a>(&'a self, _: &'a str, _: &'a str, _: usize) -> StoreFuture<'a, SubjectRows> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }

    #[test]
    fn no_shredding_without_a_tombstone_or_beside_a_key() {
        let shred = |row| run_local(Careless(row).shred("pharmacy-17", "P-7", 1_000));
        assert_eq!(shred(|row| row).unwrap(), 1_000);
        assert_eq!(shred(|_| SubjectRow::default()).unwrap_err().code().as_str(), "store-refused");
        let kept = shred(|row| SubjectRow { key: Some(vec![1; 89]), ..row });
        assert_eq!(kept.unwrap_err().code().as_str(), "store-refused");
        // Nor is a key used that is beside a tombstone.
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let (_, wrapped) = keys.create_subject_key("P-7").unwrap();
        let both = Careless(|row| SubjectRow { shredded_at: Some(5), ..row });
        let stored = run_local(both.insert("pharmacy-17", "P-7", &wrapped)).unwrap();
        assert_eq!(stored, StoredSubject::Shredded { at: 5 });
    }
}
