//! The file of an embedded database. It is created and checked before the database opens it.

use std::path::Path;

use crate::error::Error;

/// Creates an empty file at `path` if there is none, for the folder's owner only (mode 0600; 0640 in a folder that a
/// group shares). An embedded database would let everybody read it, if the umask allows that.
///
/// This is not an error if the file cannot be created: whoever opens it next reports why. On systems other than Unix it
/// does nothing.
///
/// # Errors
///
/// `store-refused` or `store-unavailable` if the new file could not be given its owner and mode.
///
/// ```no_run
/// let path = std::path::Path::new("/var/lib/pharmacy/keyrings.db");
/// rxseal::provider::create_private_file(path)?;
/// // Now let the database open it.
/// # Ok::<(), rxseal::Error>(())
/// ```
pub fn create_private_file(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        use super::owner::{SHARED_FILE, own_as_folder};

        if let Ok(file) = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            let owned = super::parent(path).metadata().and_then(|folder| own_as_folder(&file, &folder, SHARED_FILE));
            owned.map_err(|error| super::file_failed(path, &error))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The user who owns the file, if this process is neither that user nor root. Also `None` if there is no file, and on
/// systems other than Unix.
///
/// The files that a database writes next to its own (`-journal`, `-wal`) belong to the user who writes them, unless
/// that is root, who gives them away. After a crash the file's owner could not read them. So a process of another user
/// opens the file only for reading.
///
/// ```no_run
/// let path = std::path::Path::new("/var/lib/pharmacy/keyrings.db");
/// let may_write = rxseal::provider::foreign_owner(path).is_none();
/// ```
#[must_use]
pub fn foreign_owner(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        use super::owner::{ROOT, effective_user};

        let (me, owner) = (effective_user(), path.metadata().ok()?.uid());
        (me != ROOT && me != owner).then_some(owner)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
