//! Files on the disk: read, and replaced as a whole, always with the rights that they had.
//!
//! Only this module knows about temporary files, links, owners and modes. It does not know what a file contains.

mod database;
#[cfg(unix)]
mod folder;
mod lock;
#[cfg(unix)]
mod owner;
#[cfg(unix)]
mod replace;
mod secret_file;

#[cfg(unix)]
use std::fs;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
#[cfg(unix)]
use std::path::{Component, PathBuf};

use crate::error::{Error, ErrorKind};

pub use database::{create_private_file, foreign_owner};
#[cfg(unix)]
pub(crate) use folder::{Folder, create_folders, names};
pub(crate) use lock::lock;
#[cfg(unix)]
pub(crate) use owner::{SHARED_FILE, own_as_folder};
#[cfg(unix)]
pub(crate) use replace::{check_room, place_new, replace};
pub use secret_file::{SecretFile, SecretFileError};

/// Opens a regular file only: reading a pipe or a device would wait. A link is followed.
pub(crate) fn open_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, owner::flags(rustix::fs::OFlags::NONBLOCK));
    let file = options.open(path)?;
    // Checks the handle, since the path may lead elsewhere by now.
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a file"))
    }
}

/// The text of a file, at most one byte more than `limit`, so that the caller can refuse a larger file.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Option<String>, Error> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let opened = open_file(path, OpenOptions::new().read(true));
    match opened.and_then(|file| file.take(limit).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_failed(path, &error)),
    }
}

/// The folder of a file, even if the path names none.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path that `path` leads to, without links and `..`, even if its end does not exist yet.
#[cfg(unix)]
pub(crate) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut so_far = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => drop(so_far.pop()),
            part => so_far.push(part),
        }
        match so_far.canonicalize() {
            Ok(found) => so_far = found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(so_far)
}

/// Removes a file and syncs its folder. Only under the lock of the folder.
#[cfg(unix)]
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    removed.and_then(|()| sync_folder(parent(path))).map_err(|error| file_failed(path, &error))
}

/// Without this a power cut could lose the name of a new file.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// For a failure that left the file as it was. The cause contains the path: it is not secret, and the first thing to
/// look at.
pub(crate) fn file_failed(path: &Path, cause: &io::Error) -> Error {
    let settled = matches!(
        cause.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidData
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::ReadOnlyFilesystem
    );
    let kind = if settled { ErrorKind::FileRefused } else { ErrorKind::FileUnavailable };
    Error::from(kind).caused_by(with_path(path, cause))
}

fn with_path(path: &Path, cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}
