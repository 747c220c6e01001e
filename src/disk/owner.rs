//! Owner, group and mode. A replaced file keeps its own, and a new file takes its folder's.
//!
//! Whether this process may give a file away is tried and not computed: user namespaces and capabilities decide it, and
//! not the user id.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

use rustix::fs::OFlags;

/// The modes of a new file: in a folder of its owner only, and in a folder that a group shares.
#[derive(Clone, Copy)]
pub(crate) struct Modes {
    alone: u32,
    shared: u32,
}

/// A file that only its owner reads, such as a root key.
pub(crate) const PRIVATE_FILE: Modes = Modes { alone: 0o600, shared: 0o600 };
/// A file that the programs of a group may read, if they may replace it anyway.
pub(crate) const SHARED_FILE: Modes = Modes { alone: 0o600, shared: 0o640 };
/// Whoever may create files in a folder must be able to take its lock.
pub(super) const LOCK_FILE: Modes = Modes { alone: 0o600, shared: 0o660 };
/// With the bit that passes the folder's group on.
pub(super) const FOLDER: Modes = Modes { alone: 0o700, shared: 0o2770 };

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const PERMISSIONS: u32 = 0o7777;

/// Gives a new file the owner and the group of its folder, as far as this process may: root may, others keep their own.
pub(crate) fn own_as_folder(new: &File, folder: &Metadata, modes: Modes) -> io::Result<()> {
    let found = new.metadata()?;
    if (found.uid(), found.gid()) != (folder.uid(), folder.gid())
        && !is_permitted(fchown(new, Some(folder.uid()), Some(folder.gid())))?
    {
        is_permitted(fchown(new, None, Some(folder.gid())))?;
    }
    let found = new.metadata()?;
    let mode = if is_shared(folder) && found.gid() == folder.gid() { modes.shared } else { modes.alone };
    if found.mode() & PERMISSIONS != mode {
        // A file system without modes (FAT) refuses this.
        is_permitted(new.set_permissions(Permissions::from_mode(mode)))?;
    }
    Ok(())
}

/// Gives `new` the owner, the group and the mode of the file that it will replace.
///
/// # Errors
///
/// `PermissionDenied` or `InvalidInput` if this process may not.
pub(super) fn own_as_before(new: &File, before: &Metadata) -> io::Result<()> {
    let made = new.metadata()?;
    let user = (made.uid() != before.uid()).then(|| before.uid());
    let group = (made.gid() != before.gid()).then(|| before.gid());
    if user.is_some() || group.is_some() {
        fchown(new, user, group)?;
    }
    // Last, since changing the owner clears bits of the mode.
    if new.metadata()?.mode() & PERMISSIONS != before.mode() & PERMISSIONS {
        new.set_permissions(Permissions::from_mode(before.mode() & PERMISSIONS))?;
    }
    Ok(())
}

/// Whether an existing file has another owner, group or mode than a new one in its folder would have.
pub(super) fn differs(file: &Metadata, folder: &Metadata, modes: Modes) -> bool {
    let mode = if is_shared(folder) { modes.shared } else { modes.alone };
    (file.uid(), file.gid(), file.mode() & PERMISSIONS) != (folder.uid(), folder.gid(), mode)
}

pub(super) const ROOT: u32 = 0;

pub(super) fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether anybody may put files into this folder, as into `/tmp`.
pub(super) fn is_open_to_all(folder: &Metadata) -> bool {
    folder.mode() & OTHERS_WRITE != 0
}

pub(super) fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// `/tmp` is not a group's folder, although its group may write.
fn is_shared(folder: &Metadata) -> bool {
    folder.mode() & GROUP_WRITES != 0 && !is_open_to_all(folder)
}

/// A user or a group that is not known in this user namespace is `InvalidInput`.
fn is_permitted(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
