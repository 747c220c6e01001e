//! The statements over a job's table. Every name is in quotes, and every value is a parameter.

use crate::spec::Column;

/// By which columns the rows of a table are told apart and divided into chunks.
pub(super) struct Key {
    /// The columns of the primary key or of a unique index, in its order.
    pub(super) columns: Vec<KeyColumn>,
    /// The name of the rowid. A table without one is told apart by its primary key.
    pub(super) rowid: Option<String>,
}

pub(super) struct KeyColumn {
    pub(super) name: String,
    pub(super) may_be_null: bool,
}

/// The statements of one job.
pub(super) struct Statements {
    table: String,
    /// As the work has them.
    columns: Vec<String>,
    key: Key,
    /// The column of the keyspace, if rows of several are in the table.
    filter: Option<String>,
}

/// Whether a range has a lower and an upper bound. The parameters are those of the lower one, those of the upper one, then the keyspace.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lower: bool,
    pub(super) upper: bool,
}

impl Statements {
    pub(super) fn new(table: String, columns: &[Column], key: Key, filter: Option<&str>) -> Self {
        let columns = columns.iter().map(|column| of_table(column.name())).collect();
        Self { table, columns, key, filter: filter.map(of_table) }
    }

    /// How many columns a bound of a chunk has.
    pub(super) fn key_len(&self) -> usize {
        self.key.columns.len()
    }

    /// How many cells of a row of [`rows`](Self::rows) tell it apart. They are the first.
    pub(super) fn row_id_len(&self) -> usize {
        if self.key.rowid.is_some() { 1 } else { self.key_len() }
    }

    /// Every key, in order. The parameter is the keyspace.
    pub(super) fn keys(&self) -> String {
        let key = self.key();
        format!("SELECT {key} FROM {} AS t WHERE {} ORDER BY {key}", self.table, self.filter())
    }

    /// The rows of a range: what tells each apart, its key, and all columns of the job.
    pub(super) fn rows(&self, bounds: Bounds) -> String {
        let (table, key, columns) = (&self.table, self.key(), list(self.columns.iter().cloned()));
        let (row_id, range, filter) = (list(self.row_id().into_iter()), self.range(bounds), self.filter());
        format!("SELECT {row_id}, {key}, {columns} FROM {table} AS t WHERE {range} AND {filter} ORDER BY {key}")
    }

    /// These columns of all rows. The parameter is the keyspace.
    pub(super) fn scan(&self, columns: &[&str]) -> String {
        let columns = list(columns.iter().map(|column| of_table(column)));
        format!("SELECT {columns} FROM {} AS t WHERE {}", self.table, self.filter())
    }

    /// Writes these columns of one row. Parameters: the new values, then what tells the row apart.
    pub(super) fn update(&self, written: &[&str]) -> String {
        let set = list(written.iter().zip(1_usize..).map(|(column, number)| format!("{} = ?{number}", quoted(column))));
        let row = self.row_id().into_iter().zip(written.len().saturating_add(1)..).map(|(column, number)| {
            // The first comparison finds the row by its index, and the second one tells two keys apart that the column's collation does not.
            format!("{column} = ?{number} AND {column} = ?{number} COLLATE BINARY")
        });
        format!("UPDATE {} AS t SET {set} WHERE {}", self.table, row.collect::<Vec<_>>().join(" AND "))
    }

    fn key(&self) -> String {
        list(self.key.columns.iter().map(|column| of_table(&column.name)))
    }

    fn row_id(&self) -> Vec<String> {
        match &self.key.rowid {
            Some(rowid) => vec![format!("t.{rowid}")],
            None => self.key.columns.iter().map(|column| of_table(&column.name)).collect(),
        }
    }

    fn filter(&self) -> String {
        // As text: a tenant's number is a number in some tables.
        let equals = |column: &String| format!("CAST({column} AS TEXT) = ? COLLATE BINARY");
        self.filter.as_ref().map_or_else(|| "TRUE".to_owned(), equals)
    }

    fn range(&self, bounds: Bounds) -> String {
        let (key, values) = (self.key(), list(self.key.columns.iter().map(|_| "?".to_owned())));
        let compared = |operator: &str| match self.key.columns.as_slice() {
            [_] => format!("{key} {operator} {values}"),
            _ => format!("({key}) {operator} ({values})"),
        };
        let mut terms = Vec::new();
        terms.extend(bounds.lower.then(|| compared(">=")));
        terms.extend(bounds.upper.then(|| compared("<")));
        let nullable = self.key.columns.iter().filter(|column| column.may_be_null);
        let nullable: Vec<_> = nullable.map(|column| of_table(&column.name)).collect();
        terms.extend(nullable.iter().map(|column| format!("{column} IS NOT NULL")));
        let within = if terms.is_empty() { "TRUE".to_owned() } else { terms.join(" AND ") };
        // A row without a whole key is in no range, so the first chunk has them all.
        match (bounds.lower, nullable.is_empty()) {
            (true, _) | (false, true) => within,
            (false, false) => format!("({within} OR {} IS NULL)", nullable.join(" IS NULL OR ")),
        }
    }
}

/// A column is named with its table: SQLite reads a quoted name that is no column as a text.
fn of_table(name: &str) -> String {
    format!("t.{}", quoted(name))
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A name as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
