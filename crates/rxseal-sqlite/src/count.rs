//! Counting in SQLite.

use std::fmt;
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
    read_only(path.as_ref(), table, &[column], |connection| {
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
    let (rows, is_view) = read_only(path.as_ref(), table, &[column], |connection| {
        let rows = rows(connection, sql.as_str())?;
        Ok((rows, is_view(connection, sql.table())?))
    })?;
    for (prefix, values) in rows {
        counts.add_row(&prefix, values)?;
    }
    Ok(counts.doubted(is_view.then_some(VIEW)))
}

/// A value as SQLite holds it, whatever the column was declared as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell<'r> {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real,
    /// A text, which is seldom something else than UTF-8.
    Text(&'r [u8]),
    /// Bytes.
    Bytes(&'r [u8]),
}

/// Says of what kind it is, and nothing of the value.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Integer(_) => "Integer(..)",
            Self::Real => "Real",
            Self::Text(_) => "Text(..)",
            Self::Bytes(_) => "Bytes(..)",
        })
    }
}

impl Cell<'_> {
    /// Counts the value, as [`count_sqlite`] does.
    pub fn count(&self, counts: &mut KeyCounts) {
        match self {
            Self::Null => counts.add_nulls(1),
            Self::Integer(_) | Self::Real => counts.add_not_tokens(1),
            // The same as in the statement: SQLite's own functions see a text only up to its first NUL.
            Self::Text(text) if text.contains(&0) => counts.add_not_tokens(1),
            Self::Text(text) => counts.add_text(std::str::from_utf8(text).unwrap_or_default()),
            Self::Bytes(bytes) => counts.add_bytes(bytes),
        }
    }
}

/// Reads these columns of every row, in one consistent read of the file, which is opened read-only. The cells of a row are in the order of
/// `columns`. Answers why the table may have more than was read, as [`KeyCounts::doubt`] says it.
///
/// ```no_run
/// use rxseal::count::KeyCounts;
/// # fn main() -> Result<(), rxseal::Error> {
/// let (mut drugs, mut notes) = (KeyCounts::default(), KeyCounts::default());
/// let doubt = rxseal_sqlite::scan_sqlite("pharmacy.db", "rx", &["drug", "note"], |row| {
///     if let [drug, note] = row {
///         drug.count(&mut drugs);
///         note.count(&mut notes);
///     }
/// })?;
/// # let _ = doubt;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_sqlite`].
pub fn scan_sqlite(
    path: impl AsRef<Path>,
    table: &str,
    columns: &[&str],
    mut each: impl FnMut(&[Cell<'_>]),
) -> Result<Option<&'static str>, Error> {
    let mut names = Vec::new();
    for column in columns {
        // Checked and quoted by the same rules as elsewhere.
        names.push(CountSql::sqlite_values(table, column)?);
    }
    let Some(first) = names.first() else { return Ok(None) };
    let (quoted_table, table_name) = (first.quoted_table(), first.table());
    let selected = |sql: &CountSql| {
        let text = sql.as_str().strip_prefix("SELECT ").unwrap_or_default();
        text.strip_suffix(&format!(" FROM {quoted_table} AS v")).unwrap_or_default().to_owned()
    };
    let selected: Vec<_> = names.iter().map(selected).collect();
    let sql = format!("SELECT {} FROM {quoted_table} AS v", selected.join(", "));
    read_only(path.as_ref(), table, columns, |connection| {
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let cells: Result<Vec<_>, _> = (0..columns.len()).map(|at| row.get_ref(at).map(cell)).collect();
            each(&cells?);
        }
        Ok(is_view(connection, table_name)?.then_some(VIEW))
    })
}

pub(crate) fn read_only<T>(
    path: &Path,
    table: &str,
    columns: &[&str],
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, Error> {
    // Not a URI: the path is only a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY_WAIT)?;
        read(&connection)
    });
    opened.map_err(|error| failed(path, &error, table, columns))
}

pub(crate) const VIEW: &str =
    "it is a view, which may leave rows out: count the columns of the tables that it is made of";

/// Which part is missing, in one line.
fn failed(path: &Path, error: &rusqlite::Error, table: &str, columns: &[&str]) -> Error {
    let text = error.to_string();
    let missing = if text.starts_with("no such table") || text.starts_with("unknown database") {
        format!("{}: there is no table {table}", path.display())
    } else if text.starts_with("no such column") {
        // SQLite says `no such column: v.drug`.
        let named = |column: &&&str| text.contains(&format!("v.{column}"));
        let column = columns.iter().find(named).or(columns.first()).copied().unwrap_or_default();
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
        cell(row.get_ref(0)?).count(&mut counts);
    }
    Ok(counts)
}

/// Counts one value of a column.
pub fn add_value(counts: &mut KeyCounts, value: ValueRef<'_>) {
    cell(value).count(counts);
}

/// The rows of each keyspace, as [`CountSql::keyspaces_sqlite`] yields them.
///
/// # Errors
///
/// Those of [`count_sqlite`].
pub fn rows_by_keyspace(path: &Path, table: &str, column: &str) -> Result<Vec<(String, i64)>, Error> {
    let sql = CountSql::keyspaces_sqlite(table, column)?;
    read_only(path, table, &[column], |connection| rows(connection, sql.as_str()))
}

fn rows(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn cell(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(_) => Cell::Real,
        ValueRef::Text(text) => Cell::Text(text),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
    }
}
