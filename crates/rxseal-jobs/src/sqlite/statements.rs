//! The statements over a job's table. Every name is in quotes, and every value is a parameter.

use crate::spec::Column;

/// The statements of one job.
pub(super) struct Statements {
    table: String,
    /// As the work has them.
    columns: Vec<String>,
    keys: Vec<Key>,
    /// The column of the keyspace, if rows of several are in the table.
    filter: Option<String>,
}

/// A column of the id.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: String,
    /// Its place in the map's list.
    pub(super) at: usize,
    pub(super) may_be_null: bool,
}

/// Whether a range has a lower and an upper bound. The parameters are those of the lower one, those of the upper one, then the keyspace.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lower: bool,
    pub(super) upper: bool,
}

impl Statements {
    pub(super) fn new(table: String, columns: &[Column], keys: Vec<Key>, filter: Option<&str>) -> Self {
        let columns = columns.iter().map(|column| quoted(column.name())).collect();
        let filter = filter.map(of_table);
        Self { table, columns, keys, filter }
    }

    /// The places of the id's columns among the ids of the map, in the order of the bounds.
    pub(super) fn key_places(&self) -> impl Iterator<Item = usize> {
        self.keys.iter().map(|key| key.at)
    }

    /// Every id, in order.
    pub(super) fn ids(&self) -> String {
        let ids = list(self.keys.iter().map(|key| of_table(&key.name)));
        format!("SELECT {ids} FROM {} AS t WHERE {} ORDER BY {ids}", self.table, self.filter())
    }

    /// The rows of a range, with all columns of the job.
    pub(super) fn rows(&self, bounds: Bounds) -> String {
        let columns = list(self.columns.iter().map(|column| format!("t.{column}")));
        let order = list(self.keys.iter().map(|key| of_table(&key.name)));
        format!(
            "SELECT {columns} FROM {} AS t WHERE {} AND {} ORDER BY {order}",
            self.table,
            self.range(bounds),
            self.filter()
        )
    }

    /// These columns of all rows. The parameter of this and of [`ids`](Self::ids) is the keyspace.
    pub(super) fn scan(&self, columns: &[&str]) -> String {
        let columns = list(columns.iter().map(|column| of_table(column)));
        format!("SELECT {columns} FROM {} AS t WHERE {}", self.table, self.filter())
    }

    /// Writes these columns of one row. Parameters: the new values, then the id in the order of the keys.
    pub(super) fn update(&self, written: &[usize]) -> String {
        let set = written.iter().zip(1_usize..).filter_map(|(at, number)| {
            let column = self.columns.get(*at)?;
            Some(format!("{column} = ?{number}"))
        });
        let set = list(set);
        let id = self.keys.iter().zip(written.len().saturating_add(1)..).map(|(key, number)| {
            let name = quoted(&key.name);
            // The first comparison finds the row by its index, and the second one tells two ids apart that the column's collation does not.
            format!("{name} = ?{number} AND {name} = ?{number} COLLATE BINARY")
        });
        format!("UPDATE {} SET {set} WHERE {}", self.table, id.collect::<Vec<_>>().join(" AND "))
    }

    fn filter(&self) -> String {
        // As text: a tenant's number is a number in some tables.
        self.filter
            .as_ref()
            .map_or_else(|| "TRUE".to_owned(), |column| format!("CAST({column} AS TEXT) = ? COLLATE BINARY"))
    }

    fn range(&self, bounds: Bounds) -> String {
        let columns = list(self.keys.iter().map(|key| of_table(&key.name)));
        let values = list(self.keys.iter().map(|_| "?".to_owned()));
        let compared = |operator: &str| match self.keys.as_slice() {
            [_] => format!("{columns} {operator} {values}"),
            _ => format!("({columns}) {operator} ({values})"),
        };
        let mut terms = Vec::new();
        terms.extend(bounds.lower.then(|| compared(">=")));
        terms.extend(bounds.upper.then(|| compared("<")));
        let nullable: Vec<_> = self.keys.iter().filter(|key| key.may_be_null).map(|key| of_table(&key.name)).collect();
        terms.extend(nullable.iter().map(|column| format!("{column} IS NOT NULL")));
        let within = if terms.is_empty() { "TRUE".to_owned() } else { terms.join(" AND ") };
        // A row without a whole id is in no range, so the first chunk has them all.
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
