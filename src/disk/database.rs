//! The file of an embedded database: made private, and whose it is.

use std::path::Path;

use crate::error::Error;

/// Makes an empty file at `path`, if nothing is there: for the owner of its folder alone, or for the group that shares the folder. SQLite
/// itself would make it readable for everybody, as far as the umask allows. Where the file cannot be made nothing is done, so that
/// the database says why when it is opened. Does nothing where there is no Unix.
///
/// # Errors
///
/// `store-refused` or `store-unavailable`: the file was made, and could not be given to its owner.
pub fn create_private_file(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    if let Ok(file) = open_new(path) {
        let folder = super::parent(path).metadata();
        let owned = folder.and_then(|folder| super::own_as_folder(&file, &folder, super::SHARED_FILE));
        owned.map_err(|error| super::file_failed(path, &error))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The user id that the file belongs to, if that is neither this process's nor one that it may act for (root may). What such a process
/// left beside the file, as a database does with its journal, its owner could not read: so it may only look. `None` also where nothing is there,
/// and where there is no Unix.
#[must_use]
pub fn foreign_owner(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    return super::owner::foreign_owner(&path.metadata().ok()?);
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

#[cfg(unix)]
fn open_new(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
