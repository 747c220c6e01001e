//! Counting in SQLite.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use rxseal::Error;
use rxseal::count::{CountSql, IndexCounts, KeyCounts};

use crate::trouble::trouble;
use crate::wait::BUSY_WAIT;

/// Counts the tokens of a column by key, in one consistent read of the file, which is opened read-only. The result is
/// the same as [`CountSql::sqlite`]'s, and it is faster.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// let counts = rxseal_sqlite::count_sqlite("pharmacy.db", "rx", "drug")?;
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
/// - `invalid-id` if a name is not valid.
/// - `store-refused` if the file, the table or the column does not exist or may not be read.
/// - `store-unavailable` if another program holds the file's lock, or the disk failed.
///
/// The cause gives the details.
pub fn count_sqlite(path: impl AsRef<Path>, table: &str, column: &str) -> Result<KeyCounts, Error> {
    let sql = CountSql::sqlite_values(table, column)?;
    read_only(path.as_ref(), table, column, |connection| {
        let counts = count(connection, sql.as_str())?;
        Ok(counts.doubted(is_view(connection, sql.table())?.then_some(VIEW)))
    })
}

/// Counts the index values of a column by prefix, as [`CountSql::index_sqlite`] does, in one consistent read of the file, which is opened
/// read-only.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// let counts = rxseal_sqlite::count_index_sqlite("pharmacy.db", "patient", "born_ix")?;
/// println!("{} index values, {} rows without one", counts.total(), counts.nulls());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_sqlite`].
pub fn count_index_sqlite(path: impl AsRef<Path>, table: &str, column: &str) -> Result<IndexCounts, Error> {
    let sql = CountSql::index_sqlite(table, column)?;
    // Made first, since it remembers when the count began.
    let mut counts = IndexCounts::default();
    let (rows, is_view) = read_only(path.as_ref(), table, column, |connection| {
        let rows = rows(connection, sql.as_str())?;
        Ok((rows, is_view(connection, sql.table())?))
    })?;
    for (prefix, values) in rows {
        counts.add_row(&prefix, values)?;
    }
    Ok(counts.doubted(is_view.then_some(VIEW)))
}

fn read_only<T>(
    path: &Path,
    table: &str,
    column: &str,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, Error> {
    // Not a URI: the path is only a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY_WAIT)?;
        read(&connection)
    });
    opened.map_err(|error| failed(path, &error, table, column))
}

const VIEW: &str = "it is a view, which may leave rows out: count the columns of the tables that it is made of";

/// Which part is missing, in one line.
fn failed(path: &Path, error: &rusqlite::Error, table: &str, column: &str) -> Error {
    let text = error.to_string();
    let missing = if text.starts_with("no such table") || text.starts_with("unknown database") {
        format!("{}: there is no table {table}", path.display())
    } else if text.starts_with("no such column") {
        format!("{}: the table {table} has no column {column}", path.display())
    } else {
        return trouble(path, error);
    };
    Error::from_store(false, missing)
}

/// SQLite compares names without regard to case.
fn is_view(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?1 COLLATE NOCASE)";
    connection.query_row(sql, [table], |row| row.get(0))
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<KeyCounts> {
    // Made first, since it remembers when the count began.
    let mut counts = KeyCounts::default();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        add_value(&mut counts, row.get_ref(0)?);
    }
    Ok(counts)
}

/// Counts one value of a column.
pub fn add_value(counts: &mut KeyCounts, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => counts.add_nulls(1),
        ValueRef::Integer(_) | ValueRef::Real(_) => counts.add_not_tokens(1),
        // The same as in the statement: SQLite's own functions see a text only up to its first NUL.
        ValueRef::Text(text) if text.contains(&0) => counts.add_not_tokens(1),
        ValueRef::Text(text) => counts.add_text(std::str::from_utf8(text).unwrap_or_default()),
        ValueRef::Blob(bytes) => counts.add_bytes(bytes),
    }
}

fn rows(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
