//! Subject keys in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::row::{check_keyspace, check_subject};
use super::row::{SubjectRow, impl_subject_key_store};
use super::{Retention, StoredSubject};
use crate::error::Error;

/// Wrapped subject keys in memory: for tests, and for data that ends with the process.
#[derive(Debug, Default)]
pub struct MemorySubjectStore(Mutex<Rows>);

type Rows = BTreeMap<(String, String), SubjectRow>;

impl MemorySubjectStore {
    /// Each change is one call on the map, so a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, keyspace: &str, subject: &str) -> Result<SubjectRow, Error> {
        check_subject(keyspace, subject)?;
        Ok(self.lock().get(&(keyspace.to_owned(), subject.to_owned())).cloned().unwrap_or_default())
    }

    fn change<T>(
        &self,
        keyspace: &str,
        subject: &str,
        work: impl FnOnce(&mut SubjectRow) -> Result<T, Error>,
    ) -> Result<T, Error> {
        check_subject(keyspace, subject)?;
        work(self.lock().entry((keyspace.to_owned(), subject.to_owned())).or_default())
    }

    fn get_now(&self, keyspace: &str, subjects: &[&str]) -> Result<Vec<StoredSubject>, Error> {
        subjects.iter().map(|subject| Ok(self.read(keyspace, subject)?.stored())).collect()
    }

    fn retention_now(&self, keyspace: &str, subject: &str) -> Result<Retention, Error> {
        Ok(self.read(keyspace, subject)?.retention)
    }

    fn page_now(
        &self,
        keyspace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, StoredSubject)>, Error> {
        check_keyspace(keyspace)?;
        // No id is empty, so the empty one is before all.
        let from = Bound::Excluded((keyspace.to_owned(), after.unwrap_or_default().to_owned()));
        let rows = self.lock();
        let of_keyspace = rows.range((from, Bound::Unbounded)).take_while(|((of, _), _)| of == keyspace);
        let keys = of_keyspace.filter(|(_, row)| row.has_key());
        let keys = keys.map(|((_, subject), row)| (subject.clone(), row.stored()));
        Ok(keys.take(limit).collect())
    }
}

impl_subject_key_store!(MemorySubjectStore);
