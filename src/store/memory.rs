//! A store that ends with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::row::{check_keyspace, check_order};
use super::{KeyringStore, StoreFuture};
use crate::error::{Error, ErrorKind};
use crate::key::KeyringFile;

/// Keyrings in memory, for tests, and for keyspaces whose data ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<String, KeyringFile>>);

impl MemoryStore {
    /// Each change is one call on the map, so a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, KeyringFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        let mut files = self.lock();
        if files.get(file.keyspace()).map(KeyringFile::generation) != over {
            return Err(ErrorKind::StoreConflict.into());
        }
        files.insert(file.keyspace().to_owned(), file.clone());
        Ok(())
    }
}

impl KeyringStore for MemoryStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move {
            check_keyspace(keyspace)?;
            Ok(self.lock().get(keyspace).cloned())
        })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.put_now(file, over) })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move { Ok(self.lock().keys().cloned().collect()) })
    }
}
