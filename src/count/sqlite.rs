//! Counting in SQLite.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{CountSql, KeyCounts};
use crate::error::Error;
use crate::store::{SQLITE_BUSY_WAIT, sqlite_trouble};

/// Counts the tokens of a column by key, as [`CountSql::sqlite`] does, in one consistent reading of the file, which is opened
/// read-only (feature `sqlite-store`).
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// let counts = rxseal::count_sqlite("pharmacy.db", "rx", "drug")?;
/// for (key, tokens) in counts.iter() {
///     println!("{key}  {tokens}");
/// }
/// println!("not sealed: {}", counts.not_tokens());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `invalid-id`: a name that can be none; `store-refused`: the file, the table or the column is not there, or may not be read;
/// `store-unavailable`: another program holds the file's lock, or the disk failed. The cause says which.
pub fn count_sqlite(path: impl AsRef<Path>, table: &str, column: &str) -> Result<KeyCounts, Error> {
    let sql = CountSql::sqlite(table, column)?;
    let path = path.as_ref();
    // No URI: a path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let rows = Connection::open_with_flags(path, flags).and_then(|connection| read(&connection, &sql));
    let rows = rows.map_err(|error| failed(path, &error, table, column))?;
    let mut counts = KeyCounts::default();
    for (key_id, tokens) in rows {
        counts.add_row(&key_id, tokens)?;
    }
    Ok(counts)
}

/// What is missing, in one line.
fn failed(path: &Path, error: &rusqlite::Error, table: &str, column: &str) -> Error {
    let text = error.to_string();
    let missing = if text.starts_with("no such table") || text.starts_with("unknown database") {
        format!("{}: there is no table {table}", path.display())
    } else if text.starts_with("no such column") {
        format!("{}: the table {table} has no column {column}", path.display())
    } else {
        return sqlite_trouble(path, error);
    };
    Error::from_store(false, missing)
}

fn read(connection: &Connection, sql: &CountSql) -> rusqlite::Result<Vec<(String, i64)>> {
    connection.busy_timeout(SQLITE_BUSY_WAIT)?;
    let mut statement = connection.prepare(sql.as_str())?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
