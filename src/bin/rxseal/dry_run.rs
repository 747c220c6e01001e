//! A store that is read and never written.

use std::sync::Mutex;

use rxseal::{Error, KeyringFile, KeyringStore, StoreFuture};

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
