//! Keyrings as files in a folder: whole or not there, also after a crash, and for several processes.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::future::ready;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{KeyringStore, StoreFuture, check_order, parse_stored};
use crate::error::{Error, ErrorKind};
use crate::id::Name;
use crate::key::{KeyringFile, MAX_FILE};

const SUFFIX: &str = ".keyring.json";
const LOCK: &str = ".rxseal-lock";
/// How long a change waits for another process that is changing the folder. One takes milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Keyrings in a folder, one file `<keyspace>.keyring.json` each. Unix only.
///
/// A change is written beside its place, synced and renamed over it under a lock of the folder, which must be on a file system
/// that keeps locks (`flock`) and renames as one step: a local one. Calls are short and block, so they also work with
/// [`run_local`](crate::run_local).
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::{FileStore, KeyringStore, run_local};
/// let store = FileStore::new("/var/lib/pharmacy/keyrings");
/// let stored = run_local(store.get("pharmacy-17"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// The store in `folder`. Nothing is read or written yet; the first keyring makes the folder, for its owner only.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A name is at most 64 characters of `a-z 0-9 . _ -` and does not begin with a dot, so it is the name of a file here.
    fn path(&self, keyspace: &str) -> Result<PathBuf, Error> {
        Name::check("keyspace", keyspace)?;
        Ok(self.folder.join(format!("{keyspace}{SUFFIX}")))
    }

    fn get_now(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        let path = self.path(keyspace)?;
        match read_bounded(&path) {
            Ok(text) => parse_stored(&text, keyspace).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        check_order(file, over)?;
        let path = self.path(file.keyspace())?;
        create_folders(&self.folder).map_err(|error| failed(&self.folder, &error))?;
        // Held until it is dropped, at the latest by the end of the process.
        let _lock = self.lock()?;
        if self.get_now(file.keyspace())?.map(|stored| stored.generation()) != over {
            return Err(ErrorKind::StoreConflict.into());
        }
        replace(&path, file).map_err(|error| failed(&path, &error))?;
        // Never retryable: reading it again would show it there, which says nothing of a power cut.
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| {
            let reason =
                "it is stored, but its folder could not be synced: check the disk before anything seals under it";
            ErrorKind::StoreRefused.because(reason).caused_by(with_path(&self.folder, &error))
        })
    }

    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| failed(&path, &error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_WAIT => thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => {
                    return Err(ErrorKind::StoreUnavailable.because("another process holds the lock of its folder"));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&path, &error)),
            }
        }
    }

    fn keyspaces_now(&self) -> Result<Vec<String>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder, &error)),
        };
        let mut keyspaces = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| failed(&self.folder, &error))?.file_name();
            let keyspace = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            keyspaces.extend(keyspace.filter(|name| Name::check("keyspace", name).is_ok()).map(str::to_owned));
        }
        keyspaces.sort_unstable();
        Ok(keyspaces)
    }
}

impl KeyringStore for FileStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(ready(self.get_now(keyspace)))
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.put_now(file, over)))
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(ready(self.keyspaces_now()))
    }
}

/// Under the lock, so that what a crash left beside is nobody's and is written over.
fn replace(path: &Path, keyring: &KeyringFile) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(keyring.to_string().as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)
}

/// One byte more than the largest keyring file, so that its reader refuses what is larger.
fn read_bounded(path: &Path) -> io::Result<String> {
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    File::open(path)?.take(limit).read_to_string(&mut text)?;
    Ok(text)
}

/// The folder, and each above it that is missing. Synced one by one: a power cut must not lose them.
fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<_> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for made in missing.iter().rev() {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// With the path in its cause: it is no secret, and the first thing to look at. For what left the store as it was.
fn failed(path: &Path, cause: &io::Error) -> Error {
    let settled = matches!(
        cause.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidData
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::ReadOnlyFilesystem
    );
    Error::from_store(!settled, with_path(path, cause))
}

fn with_path(path: &Path, cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}
