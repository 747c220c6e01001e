//! What every store of subject keys does alike, over the rows of its own.

use std::collections::BTreeMap;

use super::row::{SubjectChange, SubjectRow};
use super::table::SubjectTable;
use super::{Retention, StoredSubject, SubjectKeyStore};
use crate::error::Error;
use crate::key::WrappedSubjectKey;
use crate::store::StoreFuture;
use crate::store::row::{check_keyspace, check_subject};

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
