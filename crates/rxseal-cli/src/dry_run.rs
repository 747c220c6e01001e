//! Stores that are read and never written.

use std::sync::{Arc, Mutex};

use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable};
use rxseal::store::{KeyringStore, StoreFuture, SubjectKeyStore};

/// Keeps what would be stored in memory, so that it can be read back.
pub struct DryRun<S> {
    store: S,
    written: Mutex<Option<KeyringFile>>,
}

impl<S: KeyringStore> DryRun<S> {
    pub fn new(store: S) -> Self {
        Self { store, written: Mutex::new(None) }
    }

    fn written(&self, keyspace: &str) -> Option<KeyringFile> {
        let written = self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        written.clone().filter(|file| file.keyspace() == keyspace)
    }
}

impl<S: KeyringStore> KeyringStore for DryRun<S> {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move {
            match self.written(keyspace) {
                Some(file) => Ok(Some(file)),
                None => self.store.get(keyspace).await,
            }
        })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let stored = self.get(file.keyspace()).await?;
            if stored.map(|stored| stored.generation()) != over {
                return Err(Error::store_conflict());
            }
            *self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(file.clone());
            Ok(())
        })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        self.store.keyspaces()
    }
}

/// Answers as the store would, and writes nothing.
pub struct DrySubjects(pub Arc<dyn SubjectKeyStore>);

impl SubjectTable for DrySubjects {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        self.0.rows(keyspace, subjects)
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(async move {
            let stored = self.0.rows(keyspace, &[subject]).await?.pop();
            change.apply(&stored.map_or(Ok(SubjectRow::default()), |(_, row)| row)?)
        })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        self.0.rows_after(keyspace, after, limit)
    }
}
