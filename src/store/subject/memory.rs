//! Subject keys in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::row::{SubjectChange, SubjectRow};
use super::table::{SubjectRows, SubjectTable};
use crate::store::StoreFuture;

/// Wrapped subject keys in memory, for tests, and for data that ends with the process.
#[derive(Debug, Default)]
pub struct MemorySubjectStore(Mutex<Rows>);

type Rows = BTreeMap<(String, String), SubjectRow>;

impl MemorySubjectStore {
    /// Each change is one call on the map, so a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SubjectTable for MemorySubjectStore {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move {
            let rows = self.lock();
            let of = |subject: &str| rows.get(&(keyspace.to_owned(), subject.to_owned())).cloned();
            Ok(subjects.iter().filter_map(|subject| Some(((*subject).to_owned(), Ok(of(subject)?)))).collect())
        })
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(async move {
            let mut rows = self.lock();
            let row = rows.entry((keyspace.to_owned(), subject.to_owned())).or_default();
            *row = change.apply(row)?;
            Ok(row.clone())
        })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move {
            let from = Bound::Excluded((keyspace.to_owned(), after.to_owned()));
            let rows = self.lock();
            let of_keyspace = rows.range((from, Bound::Unbounded)).take_while(|((of, _), _)| of == keyspace);
            let found = of_keyspace.filter(|(_, row)| row.has_key()).take(limit);
            Ok(found.map(|((_, subject), row)| (subject.clone(), Ok(row.clone()))).collect())
        })
    }
}
