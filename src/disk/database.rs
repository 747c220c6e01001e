//! The file of an embedded database, which is made and asked about before the database opens it.

use std::path::Path;

use crate::error::Error;

/// Makes an empty file at `path` if there is none, for the owner of its folder alone (mode 0600; 0640 in a folder that a
/// group shares). An embedded database would make it readable for all, as far as the umask lets it.
///
/// If the file cannot be made, nothing is said: whoever opens it next says why. On other systems than Unix nothing is done.
///
/// # Errors
///
/// `store-refused`, `store-unavailable`: the new file could not be given its owner and mode.
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

/// The user who owns the file, if this process is neither that user nor root. `None` too if there is no file, and on other
/// systems than Unix.
///
/// What a database writes beside its file (`-journal`, `-wal`) belongs to whoever writes it, unless that is root, who gives
/// it away. After a crash the owner of the file could not read it. So a process that is neither opens it to look only.
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
