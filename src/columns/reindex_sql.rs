//! The SQL of a re-index: what selects the rows, and what writes one if nobody else has.

use crate::count::{Table, quoted};
use crate::error::Error;
use crate::index::{IndexColumn, Kind};

/// The statements that go through the rows of a table, page by page, and give them new index values.
///
/// 1. [`select`](Self::select) finds a page of rows with a value that is not of the primary index root and the present definition, by its
///    prefix. [`select_all`](Self::select_all) finds every row: for the first backfill, since null says nothing about the record.
/// 2. The program opens the page and computes new values: `keys.reindex_all(&rows, &access)`.
/// 3. [`swap`](Self::swap) writes a row, if it still has the tokens and index values that were read. It is one statement, so no row ever has
///    a new token with an old index value. No row written means that another program was faster: it wrote present values, or a later page
///    has the row again.
///
/// The last id of a page is where the next one begins, so a job that was stopped goes on from there. Once it has come to the end, begin
/// anew, until a whole pass finds nothing.
///
/// ```
/// # use rxseal::{PhiRecord, phi};
/// # #[derive(PhiRecord)]
/// # #[phi(record = "patient")]
/// # struct Patient { #[phi(id)] id: u64, #[phi(seal = phi::BirthDate)] birth_date: String }
/// use rxseal::SealedRecord;
/// use rxseal::columns::ReindexSql;
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let sql = ReindexSql::postgres("patient", "id", &["birth_date"], SealedPatient::INDEX_COLUMNS)?;
/// assert_eq!(sql.select_all(), r#"SELECT * FROM "patient" WHERE "id" > $1 ORDER BY "id" LIMIT $2"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReindexSql {
    table: Table,
    id: String,
    tokens: Vec<String>,
    indexes: Vec<(String, IndexColumn)>,
    is_postgres: bool,
}

impl ReindexSql {
    /// For PostgreSQL. `id` is the column that tells the rows apart, and `tokens` are the columns of the fields that the indexes are made
    /// of; of a row with a record tag, the column of the tag is enough. `indexes` are the index columns of the row's type, its
    /// [`INDEX_COLUMNS`](crate::SealedRecord::INDEX_COLUMNS).
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name is empty or contains a NUL, or the table's is not `table` or `schema.table`.
    pub fn postgres(table: &str, id: &str, tokens: &[&str], indexes: &[IndexColumn]) -> Result<Self, Error> {
        Self::new(table, id, tokens, indexes, true)
    }

    /// For SQLite, where the values of an index of several are rows of the table that [`IndexSql`](super::IndexSql) makes. Read them in one
    /// transaction with the page, or a value that another program changed meanwhile looks stale.
    ///
    /// # Errors
    ///
    /// As for [`postgres`](Self::postgres).
    pub fn sqlite(table: &str, id: &str, tokens: &[&str], indexes: &[IndexColumn]) -> Result<Self, Error> {
        Self::new(table, id, tokens, indexes, false)
    }

    fn new(table: &str, id: &str, tokens: &[&str], indexes: &[IndexColumn], is_postgres: bool) -> Result<Self, Error> {
        let column = |name: &str| quoted("column", name);
        let indexes = indexes.iter().map(|index| Ok((column(index.name())?, *index)));
        Ok(Self {
            table: Table::parse(table)?,
            id: column(id)?,
            tokens: tokens.iter().map(|token| column(token)).collect::<Result<_, _>>()?,
            indexes: indexes.collect::<Result<_, Error>>()?,
            is_postgres,
        })
    }

    /// A page of the rows that are to be indexed again. Parameters: the last id of the page before; the limit; then the prefixes that are not
    /// current ([`Indexer::prefixes`](crate::index::Indexer::prefixes), of all indexes), which are one array in PostgreSQL and
    /// `prefixes` parameters in SQLite.
    #[must_use]
    pub fn select(&self, prefixes: usize) -> String {
        let listed = if self.is_postgres {
            "= ANY($3)".to_owned()
        } else {
            let listed: Vec<_> = (3..).take(prefixes).map(|at| format!("?{at}")).collect();
            format!("IN ({})", listed.join(", "))
        };
        let mut has_former: Vec<_> =
            self.indexes.iter().map(|(column, index)| self.has_former(column, *index, &listed)).collect();
        if has_former.is_empty() {
            has_former.push("FALSE".to_owned());
        }
        self.page(&format!("AND ({}) ", has_former.join(" OR ")))
    }

    /// A page of all rows. Parameters: the last id of the page before, and the limit.
    #[must_use]
    pub fn select_all(&self) -> String {
        self.page("")
    }

    fn page(&self, condition: &str) -> String {
        let Self { table, id, .. } = self;
        let (table, [last, limit]) = (&table.quoted, [1, 2].map(|at| self.parameter(at)));
        format!("SELECT * FROM {table} WHERE {id} > {last} {condition}ORDER BY {id} LIMIT {limit}")
    }

    fn has_former(&self, column: &str, index: IndexColumn, listed: &str) -> String {
        match (self.is_postgres, is_set(index)) {
            (true, false) => format!("substring({column} FROM 1 FOR 3) {listed}"),
            (true, true) => {
                format!("EXISTS (SELECT FROM unnest({column}) AS v WHERE substring(v FROM 1 FOR 3) {listed})")
            }
            (false, false) => format!("substr({column}, 1, 3) {listed}"),
            (false, true) => {
                let (side, table, id) = (self.values_table(index), &self.table.quoted, &self.id);
                format!(
                    "EXISTS (SELECT 1 FROM {side} AS v WHERE v.{id} = {table}.{id} AND substr(v.\"ix\", 1, 3) {listed})"
                )
            }
        }
    }

    /// Gives a row its new tokens and index values, if it still has the old ones. It writes one row, or none. Parameters: the id; the new
    /// tokens; the new values of the index columns; the old tokens; the old values. Without a reseal, new and old tokens are the same.
    ///
    /// In SQLite an index of several values has no column here. In the same transaction, if a row was written, run
    /// [`replace_values`](Self::replace_values).
    #[must_use]
    pub fn swap(&self) -> String {
        let columns: Vec<_> = self.tokens.iter().chain(self.columns()).collect();
        let set: Vec<_> =
            (2..).zip(&columns).map(|(at, column)| format!("{column} = {}", self.parameter(at))).collect();
        let first_old = columns.len().saturating_add(2);
        let is_same = if self.is_postgres { "IS NOT DISTINCT FROM" } else { "IS" };
        let as_read =
            (first_old..).zip(&columns).map(|(at, column)| format!(" AND {column} {is_same} {}", self.parameter(at)));
        let (table, id, first) = (&self.table.quoted, &self.id, self.parameter(1));
        format!("UPDATE {table} SET {} WHERE {id} = {first}{}", set.join(", "), as_read.collect::<String>())
    }

    /// The columns that [`swap`](Self::swap) writes index values to, in its order: those of the row's type, in SQLite without the indexes
    /// of several values.
    pub fn index_columns(&self) -> impl Iterator<Item = IndexColumn> {
        self.indexes.iter().map(|(_, index)| *index).filter(|index| self.is_postgres || !is_set(*index))
    }

    fn columns(&self) -> impl Iterator<Item = &String> {
        let is_column = |index: IndexColumn| self.is_postgres || !is_set(index);
        self.indexes.iter().filter(move |(_, index)| is_column(*index)).map(|(column, _)| column)
    }

    /// For SQLite: for each index of several values, the statement that deletes the values of a row, whose parameter is the id, and the one
    /// that inserts a value, whose parameters are the value and the id.
    pub fn replace_values(&self) -> impl Iterator<Item = (IndexColumn, String, String)> {
        let sets = self.indexes.iter().filter(|(_, index)| !self.is_postgres && is_set(*index));
        sets.map(|(_, index)| {
            let (side, id) = (self.values_table(*index), &self.id);
            let delete = format!("DELETE FROM {side} WHERE {id} = ?1");
            let insert = format!("INSERT INTO {side} (\"ix\", {id}) VALUES (?1, ?2)");
            (*index, delete, insert)
        })
    }

    fn values_table(&self, index: IndexColumn) -> String {
        // Neither part has a NUL or is empty, so it is a name.
        self.table.beside(&format!("{}_{}", self.table.name, index.name())).unwrap_or_default()
    }

    fn parameter(&self, at: usize) -> String {
        format!("{}{at}", if self.is_postgres { '$' } else { '?' })
    }
}

fn is_set(index: IndexColumn) -> bool {
    matches!(index.kind(), Kind::Parts | Kind::Sounds)
}
