//! A folder whose files are whole or not there, also after a crash, and for several processes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::files::{file_failed, lock, parent, with_path};
use crate::error::{Error, ErrorKind};

const LOCK: &str = ".rxseal-lock";

#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Made where it is missing, and kept from every other change until the lock is dropped, at the latest by the end of the
    /// process.
    pub(super) fn lock(&self) -> Result<File, Error> {
        create_folders(&self.0).map_err(|error| file_failed(&self.0, &error))?;
        let path = self.0.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| file_failed(&path, &error))?;
        lock(&file).map_err(|error| file_failed(&path, &error))?;
        Ok(file)
    }
}

/// The text of a file, at most one byte more than `limit`, so that its reader refuses what is larger.
pub(super) fn read(path: &Path, limit: usize) -> Result<Option<String>, Error> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_failed(path, &error)),
    }
}

/// Writes beside and renames: under the lock, so that what a crash left beside is nobody's and is written over.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    write_and_rename(path, text).map_err(|error| file_failed(path, &error))?;
    // Never retryable: reading it again would show it there, which says nothing of a power cut.
    let folder = parent(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| {
        let reason = "it is stored, but its folder could not be synced: check the disk before anything seals under it";
        ErrorKind::StoreRefused.because(reason).caused_by(with_path(folder, &error))
    })
}

/// The folder, and each above it that is missing. Synced one by one: a power cut must not lose them.
pub(super) fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<_> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for made in missing.iter().rev() {
        File::open(parent(made))?.sync_all()?;
    }
    Ok(())
}

/// The names in a folder; none where it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file_failed(folder, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| file_failed(folder, &error))?.file_name();
        // What is no text is none of ours.
        names.extend(name.into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn write_and_rename(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)
}
