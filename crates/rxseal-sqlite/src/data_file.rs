//! A program's own database file, which the jobs of rxseal read and write. Nothing in it is created.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use rxseal::Error;
use rxseal::provider::foreign_owner;

use crate::trouble::{not_writable, trouble};
use crate::wait::{wait_from_now, wait_on};

/// A connection that reads the file.
///
/// # Errors
///
/// `store-refused` if it does not exist, is no SQLite database or may not be read. `store-unavailable` if the disk failed.
pub fn open_to_read(path: &Path) -> Result<Connection, Error> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|error| trouble(path, &error))
}

/// A connection that reads and writes the file. What is overwritten is also wiped from its page.
///
/// # Errors
///
/// Those of [`open_to_read`]. `store-refused` if the file belongs to somebody else, who could not read the files that SQLite writes next to it.
pub fn open_to_write(path: &Path) -> Result<Connection, Error> {
    if foreign_owner(path).is_some() {
        return Err(Error::from_store(false, format!("{}: {}", path.display(), not_writable(path))));
    }
    let opened = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
        connection.execute_batch("PRAGMA secure_delete = ON; PRAGMA fullfsync = ON;")?;
        Ok(connection)
    });
    opened.map_err(|error| trouble(path, &error))
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // Not a URI: the path is only a path.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    wait_from_now();
    connection.busy_handler(Some(wait_on))?;
    Ok(connection)
}
