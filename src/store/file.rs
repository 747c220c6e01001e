//! Keyrings as files in a folder.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::row::{check_keyspace, check_order, parse_stored};
use super::{KeyringStore, StoreFuture};
use crate::disk::{self, Folder};
use crate::error::{Error, ErrorKind};
use crate::key::KeyringFile;

const SUFFIX: &str = ".keyring.json";

/// Keyrings in a folder, in one file `<keyspace>.keyring.json` each. It works on Unix only.
///
/// A change is written to a temporary file, synced and renamed to its place under a lock of the folder. So the folder must be on a file
/// system that supports locks (`flock`) and atomic renames, which means a local one. Calls are short and block, so they also work
/// with [`run_local`](crate::run_local).
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::store::{FileStore, KeyringStore};
/// use rxseal::run_local;
/// let store = FileStore::new("/var/lib/pharmacy/keyrings");
/// let stored = run_local(store.get("pharmacy-17"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileStore(Folder);

impl FileStore {
    /// The store in `folder`. It reads and writes nothing yet; the first keyring makes the folder, for its owner only.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(Folder::new(folder.into()))
    }

    /// A name is at most 64 characters of `a-z 0-9 . _ -` and does not begin with a dot, so it is the name of a file here.
    fn path(&self, keyspace: &str) -> Result<PathBuf, Error> {
        check_keyspace(keyspace)?;
        Ok(self.0.path().join(format!("{keyspace}{SUFFIX}")))
    }

    fn get_now(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        let path = self.path(keyspace)?;
        let text = disk::read(&path, KeyringFile::MAX_LEN)?;
        let parsed = text.map(|text| parse_stored(&text, keyspace)).transpose();
        parsed.map_err(|error| error.caused_by(path.display().to_string()))
    }

    fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        let _lock = self.0.lock()?;
        self.put_under_lock(file, over)
    }

    fn put_under_lock(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        let path = self.path(file.keyspace())?;
        if self.get_now(file.keyspace())?.map(|stored| stored.generation()) != over {
            return Err(ErrorKind::StoreConflict.into());
        }
        disk::replace(&path, &file.to_string())
    }

    fn keyspaces_now(&self) -> Result<Vec<String>, Error> {
        let names = disk::names(self.0.path())?;
        let keyspaces = names.iter().filter_map(|name| name.strip_suffix(SUFFIX));
        let mut keyspaces: Vec<_> = keyspaces.filter(|name| check_keyspace(name).is_ok()).map(str::to_owned).collect();
        // The suffix sorted with them.
        keyspaces.sort_unstable();
        Ok(keyspaces)
    }
}

/// The same store while this process holds the lock of its folder: nobody else changes anything in it.
pub(crate) struct LockedFileStore {
    store: FileStore,
    _lock: File,
}

impl FileStore {
    /// Makes the folder if it is missing.
    pub(crate) fn lock(&self) -> Result<LockedFileStore, Error> {
        Ok(LockedFileStore { _lock: self.0.lock()?, store: self.clone() })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl KeyringStore for LockedFileStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        self.store.get(keyspace)
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            check_order(file, over)?;
            self.store.put_under_lock(file, over)
        })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        self.store.keyspaces()
    }
}

impl KeyringStore for FileStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move { self.get_now(keyspace) })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.put_now(file, over) })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move { self.keyspaces_now() })
    }
}
