//! Files that appear complete: each is written next to its place under a random name, and then put there in one step.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::owner::{Modes, PRIVATE_FILE, SHARED_FILE, effective_user, own_as_before, own_as_folder};
use super::{file_failed, names, parent, sync_folder, with_path};
use crate::error::{Error, ErrorKind};
use crate::random;

/// The name of a temporary file, before its 32 random digits.
const TEMPORARY: &str = ".rxseal-tmp-";
/// The name that 0.1.0 gave the temporary file of a root key.
const FORMER_ROOT: &str = ".rxseal-root-";
/// A younger file may belong to another program that is writing it now.
const OLD: Duration = Duration::from_secs(3600);

/// Writes a temporary file and renames it, with the owner, group and mode of the file before. Only under the folder's
/// lock: then a temporary file left by a crash belongs to nobody and is removed. It may contain a key that is being
/// shredded now.
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
    // Never retryable: reading it again would find the file, and that does not prove that it survives a power cut.
    sync_folder(folder).map_err(|error| {
        let reason = "it is stored, but its folder could not be synced: check the disk before anything seals under it";
        ErrorKind::FileRefused.because(reason).caused_by(with_path(folder, &error))
    })
}

/// Creates a file for its owner only. It never overwrites: the error is then `AlreadyExists`. If several programs do
/// this at once, one succeeds.
pub(crate) fn place_new(path: &Path, bytes: &[u8]) -> Result<io::Result<()>, Error> {
    let folder = parent(path);
    // No lock is held, so young files stay.
    let now = SystemTime::now();
    let is_left = |name: &str| {
        let is_ours = name.starts_with(TEMPORARY) || name.starts_with(FORMER_ROOT);
        is_ours && fs::symlink_metadata(folder.join(name)).is_ok_and(|found| is_old(&found, now))
    };
    // A folder that cannot be listed can still take the file.
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

/// Checks whether a small file can be created in a folder, by creating and removing one: the rights do not tell.
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
    /// Empty, for its owner only. Nobody can have put a link in its place: its name is random, and a link is not
    /// followed.
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

/// The file to be replaced, if it exists.
fn before(path: &Path) -> Result<Option<Metadata>, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(found)),
        Ok(_) => {
            let reason = "it is a link or not a file, so nothing was changed: remove it, or name the \
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

/// A file from the future was written under a wrong clock, and counts as young.
fn is_old(found: &Metadata, now: SystemTime) -> bool {
    found.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > OLD))
}

fn not_kept(path: &Path, before: &Metadata, cause: &io::Error) -> Error {
    if !matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) {
        return file_failed(path, cause);
    }
    let reason = "the file belongs to another user or group, and this process may not create files for them. Nothing was changed: run this \
                  as that user, or as root";
    let (user, group, mode) = (before.uid(), before.gid(), before.mode() & 0o7777);
    let me = effective_user();
    ErrorKind::FileRefused.because(reason).caused_by(format!(
        "{}: it belongs to user {user} and group {group}, its mode is {mode:04o}, and this is user {me}",
        path.display()
    ))
}
