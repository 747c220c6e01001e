//! A folder whose files are always complete or missing, even after a crash and with several processes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::owner::{self, FOLDER, LOCK_FILE, own_as_folder};
use super::{file_failed, lock, parent, sync_folder};
use crate::error::Error;

/// This name never changes: all processes must agree on it.
const LOCK: &str = ".rxseal-lock";

#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Creates the folder if it is missing, and locks it against every other change until the lock is dropped, or until
    /// the process ends.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        create_folders(&self.0).map_err(|error| file_failed(&self.0, &error))?;
        let path = self.0.join(LOCK);
        let locked = self.open_lock(&path).and_then(|file| lock(&file).map(|()| file));
        locked.map_err(|error| file_failed(&path, &error))
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        let folder = fs::metadata(&self.0)?;
        let mut options = OpenOptions::new();
        // Through a link, another file would be locked and, by root, given away. A pipe would wait.
        options.read(true).write(true).custom_flags(owner::flags(OFlags::NOFOLLOW | OFlags::NONBLOCK)).mode(0o600);
        let file = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path).map_err(|error| {
                let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
                if is_link { no_lock("it is a link") } else { error }
            })?,
            made => made?,
        };
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(no_lock("it is not a file"));
        }
        if owner::differs(&found, &folder, LOCK_FILE) {
            // Also an old lock file: another process may have created it first, and the folder's owner could not open
            // it.
            own_as_folder(&file, &folder, LOCK_FILE)?;
        }
        Ok(file)
    }
}

/// Creates the folder and every missing folder above it, each with the owner and the group of the folder that it is in.
/// Each is synced, so that a power cut does not lose it.
pub(crate) fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<_> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    for path in missing.iter().rev() {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made?,
        }
        let flags = owner::flags(OFlags::DIRECTORY | OFlags::NOFOLLOW);
        let made = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        own_as_folder(&made, &fs::metadata(parent(path))?, FOLDER)?;
        sync_folder(parent(path))?;
    }
    // The path may be a file, or a link that leads nowhere.
    if folder.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// The names in a folder. Empty if the folder does not exist.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file_failed(folder, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| file_failed(folder, &error))?.file_name();
        // A name that is not text is not ours.
        names.extend(name.into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn no_lock(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}, and not a lock of this crate: remove it"))
}
