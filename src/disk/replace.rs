//! Files that appear whole: written beside their place under a random name, then put there in one step.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::owner::{Modes, PRIVATE_FILE, SHARED_FILE, effective_user, own_as_before, own_as_folder};
use super::{file_failed, names, parent, sync_folder, with_path};
use crate::error::{Error, ErrorKind};
use crate::random;

/// What a temporary file is named, before 32 random digits.
const TEMPORARY: &str = ".rxseal-tmp-";
/// What 0.1.0 named one of a root key.
const FORMER_ROOT: &str = ".rxseal-root-";
/// What is younger may be another program's, which writes it now.
const OLD: Duration = Duration::from_secs(3600);

/// Writes beside and renames, with the owner, group and mode of what was there. Only under the lock of the folder: so what a crash left
/// beside is nobody's, and is removed. It may hold a key that is to be shredded now.
///
/// # Errors
///
/// `store-refused`, before anything is written, if the owner cannot be kept or the path is a link.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let before = before(path)?;
    let folder = parent(path);
    // 0.1.0 wrote to a name that is not random.
    let former = path.with_extension("tmp");
    let former = former.file_name().and_then(|name| name.to_str());
    sweep(folder, |name| name.starts_with(TEMPORARY) || Some(name) == former)?;
    let temporary = Temporary::create(folder)?;
    if let Some(before) = before {
        own_as_before(&temporary.file, &before).map_err(|error| not_kept(path, &before, &error))?;
    } else {
        temporary.own_as_folder(folder, SHARED_FILE).map_err(|error| file_failed(path, &error))?;
    }
    let placed = temporary.write(text.as_bytes()).and_then(|()| fs::rename(&temporary.path, path));
    placed.map_err(|error| file_failed(path, &error))?;
    temporary.keep();
    // Never retryable: reading it again would show it there, which says nothing of a power cut.
    sync_folder(folder).map_err(|error| {
        let reason = "it is stored, but its folder could not be synced: check the disk before anything seals under it";
        ErrorKind::FileRefused.because(reason).caused_by(with_path(folder, &error))
    })
}

/// Makes a file for its owner only, never over one that is there: `AlreadyExists` then. Of programs that do it at once one succeeds.
pub(crate) fn place_new(path: &Path, bytes: &[u8]) -> Result<io::Result<()>, Error> {
    let folder = parent(path);
    // Without a lock, so what is young stays.
    let now = SystemTime::now();
    let is_left = |name: &str| {
        let is_ours = name.starts_with(TEMPORARY) || name.starts_with(FORMER_ROOT);
        is_ours && fs::symlink_metadata(folder.join(name)).is_ok_and(|found| is_old(&found, now))
    };
    // A folder that may not be listed can still take the file.
    drop(sweep(folder, is_left));
    let temporary = Temporary::create(folder)?;
    let placed = temporary
        .own_as_folder(folder, PRIVATE_FILE)
        .and_then(|()| temporary.write(bytes))
        .and_then(|()| fs::hard_link(&temporary.path, path))
        .and_then(|()| fs::remove_file(&temporary.path));
    Ok(placed.and_then(|()| {
        temporary.keep();
        sync_folder(folder)
    }))
}

/// Whether a new file of a few lines can be made in a folder, by making one and removing it: rights alone do not tell.
pub(crate) fn check_room(folder: &Path) -> Result<(), Error> {
    let temporary = Temporary::create(folder)?;
    let made = temporary.own_as_folder(folder, SHARED_FILE).and_then(|()| temporary.write(&[b' '; 1024]));
    made.map_err(|error| file_failed(folder, &error))
}

/// Removed when it is dropped, unless it was put in its place.
struct Temporary {
    file: File,
    path: PathBuf,
    placed: bool,
}

impl Temporary {
    /// Empty, for its owner only. Nobody can have put a link where it is made: its name is random, and a link is not followed.
    fn create(folder: &Path) -> Result<Self, Error> {
        let mut digits = [0; 16];
        random::fill(&mut digits)?;
        let path = folder.join(format!("{TEMPORARY}{:032x}", u128::from_le_bytes(digits)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| file_failed(folder, &error))?;
        Ok(Self { file, path, placed: false })
    }

    fn own_as_folder(&self, folder: &Path, modes: Modes) -> io::Result<()> {
        own_as_folder(&self.file, &fs::metadata(folder)?, modes)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)?;
        self.file.sync_all()
    }

    fn keep(mut self) {
        self.placed = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What is to be replaced, if it is there.
fn before(path: &Path) -> Result<Option<Metadata>, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(found)),
        Ok(_) => {
            let reason = "it is a link or not a file, and would be replaced by one; nothing was changed: remove it, or name the \
                          folder that it leads to";
            Err(ErrorKind::FileRefused.because(reason).caused_by(path.display().to_string()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_failed(path, &error)),
    }
}

fn sweep(folder: &Path, is_left: impl Fn(&str) -> bool) -> Result<(), Error> {
    for name in names(folder)?.iter().filter(|name| is_left(name)) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file_failed(folder, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// A file from the future was made by a clock that was wrong, and counts as young.
fn is_old(found: &Metadata, now: SystemTime) -> bool {
    found.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > OLD))
}

fn not_kept(path: &Path, before: &Metadata, cause: &io::Error) -> Error {
    if !matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) {
        return file_failed(path, cause);
    }
    let reason = "the file is of another user or group, and this process may not make one for them; nothing was changed: run this \
                  as that user, or as root";
    let (user, group, mode) = (before.uid(), before.gid(), before.mode() & 0o7777);
    let me = effective_user();
    ErrorKind::FileRefused.because(reason).caused_by(format!(
        "{}: it is of user {user} and group {group}, its mode is {mode:04o}, and this is user {me}",
        path.display()
    ))
}
