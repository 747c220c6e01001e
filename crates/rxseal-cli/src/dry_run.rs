//! Stores that are read and never written.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::store::{KeyringStore, Retention, StoreFuture, StoredSubject, SubjectKeyStore};
use rxseal::subjects::WrappedSubjectKey;

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

/// Answers as if it did what it is told, and does not.
pub struct DrySubjects(pub Arc<dyn SubjectKeyStore>);

impl DrySubjects {
    async fn stored(&self, keyspace: &str, subject: &str) -> Result<StoredSubject, Error> {
        Ok(self.0.get(keyspace, &[subject]).await?.pop().unwrap_or(StoredSubject::Absent))
    }
}

impl SubjectKeyStore for DrySubjects {
    fn get<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, Vec<StoredSubject>> {
        self.0.get(keyspace, subjects)
    }

    fn insert<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        key: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, StoredSubject> {
        Box::pin(async move {
            let stored = self.stored(keyspace, subject).await?;
            Ok(if stored == StoredSubject::Absent { StoredSubject::Key(key.clone()) } else { stored })
        })
    }

    fn replace<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        old: &'a WrappedSubjectKey,
        _: &'a WrappedSubjectKey,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            match self.stored(keyspace, subject).await? {
                StoredSubject::Key(key) if key == *old => Ok(()),
                _ => Err(Error::store_conflict()),
            }
        })
    }

    fn shred<'a>(&'a self, keyspace: &'a str, subject: &'a str, at: u64) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            if let StoredSubject::Shredded { at } = self.stored(keyspace, subject).await? {
                return Ok(at);
            }
            if self.0.retention(keyspace, subject).await?.holds_at(now()) {
                return Err(Error::subject_retained());
            }
            Ok(at)
        })
    }

    fn retain<'a>(&'a self, keyspace: &'a str, subject: &'a str, old: Retention, _: Retention) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if self.0.retention(keyspace, subject).await? == old { Ok(()) } else { Err(Error::store_conflict()) }
        })
    }

    fn retention<'a>(&'a self, keyspace: &'a str, subject: &'a str) -> StoreFuture<'a, Retention> {
        self.0.retention(keyspace, subject)
    }

    fn page<'a>(
        &'a self,
        keyspace: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<(String, StoredSubject)>> {
        self.0.page(keyspace, after, limit)
    }
}

/// In Unix seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
