//! What a table is and which columns it has.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use rxseal::Error;
use rxseal::count::CountSql;

use crate::count::{VIEW, read_only};

/// A table or a view, as SQLite describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteTable {
    is_strict: bool,
    doubt: Option<&'static str>,
    columns: Vec<SqliteColumn>,
}

impl SqliteTable {
    /// Whether it refuses values of other types than those of its columns (`STRICT`).
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Why it may leave rows out, in the words of [`KeyCounts::doubt`](rxseal::count::KeyCounts::doubt): it is a view.
    #[must_use]
    pub fn doubt(&self) -> Option<&'static str> {
        self.doubt
    }

    /// The columns, in their order, also generated ones.
    #[must_use]
    pub fn columns(&self) -> &[SqliteColumn] {
        &self.columns
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteColumn {
    name: String,
    declared: String,
    is_generated: bool,
}

impl SqliteColumn {
    /// Its name, as it was declared.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type, as it was declared. Empty if it has none.
    #[must_use]
    pub fn declared(&self) -> &str {
        &self.declared
    }

    /// Whether a text or bytes stay what they are in it: by the rules of SQLite its affinity is TEXT, BLOB or none. In columns of numbers
    /// and dates it is another one.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        let declared = self.declared.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        // The order of the rules: "FLOATING POINT" has INT in it.
        !has("INT")
            && (has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB") || declared.is_empty() || declared == "ANY")
    }

    /// Whether it is computed from other columns.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.is_generated
    }
}

/// Describes a table. `None` if there is no such table or view.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// if let Some(table) = rxseal_sqlite::describe_sqlite("pharmacy.db", "rx")? {
///     for column in table.columns().iter().filter(|column| !column.takes_text()) {
///         println!("{} has no room for tokens: it is {}", column.name(), column.declared());
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_sqlite`](crate::count_sqlite), except for a table that does not exist.
pub fn describe_sqlite(path: impl AsRef<Path>, table: &str) -> Result<Option<SqliteTable>, Error> {
    // Any column: only the names of the table are wanted.
    let sql = CountSql::sqlite_values(table, "c")?;
    let schema = sql.schema().unwrap_or("main");
    read_only(path.as_ref(), table, &[], |connection| describe(connection, schema, sql.table()))
}

/// The names of all tables that have a row, without those of SQLite itself and without views.
///
/// # Errors
///
/// Those of [`count_sqlite`](crate::count_sqlite).
pub fn filled_tables(path: &Path) -> Result<Vec<String>, Error> {
    read_only(path, "sqlite_schema", &[], |connection| {
        let mut statement = connection.prepare(TABLES)?;
        let mut tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        tables.retain(|table| has_row(connection, table));
        Ok(tables)
    })
}

/// A table that cannot be read, such as one of a module that is not loaded, may have some.
fn has_row(connection: &Connection, table: &str) -> bool {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM main.\"{}\")", table.replace('"', "\"\""));
    connection.query_row(&sql, [], |row| row.get(0)).unwrap_or(true)
}

const TABLES: &str =
    "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
const TABLE: &str =
    "SELECT type = 'view', strict FROM pragma_table_list WHERE schema = ?1 COLLATE NOCASE AND name = ?2 COLLATE NOCASE";
/// `hidden` is 1 for the columns of a virtual table that are no data, 2 and 3 for generated ones.
const COLUMNS: &str = "SELECT name, type, hidden FROM pragma_table_xinfo(?2, ?1) WHERE hidden <> 1 ORDER BY cid";

fn describe(connection: &Connection, schema: &str, table: &str) -> rusqlite::Result<Option<SqliteTable>> {
    let known = connection.query_row(TABLE, [schema, table], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((is_view, is_strict)) = known else { return Ok(None) };
    let is_view: bool = is_view;
    let mut statement = connection.prepare(COLUMNS)?;
    let columns = statement.query_map([schema, table], |row| {
        Ok(SqliteColumn { name: row.get(0)?, declared: row.get(1)?, is_generated: row.get::<_, u8>(2)? >= 2 })
    })?;
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(SqliteTable { is_strict, doubt: is_view.then_some(VIEW), columns }))
}
