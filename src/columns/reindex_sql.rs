//! The SQL of a re-index: what selects the rows, and what writes one if nobody else has.

use crate::count::{Table, quoted};
use crate::error::{Error, Reason};
use crate::index::{IndexColumn, Kind};
use crate::schema::{FieldSchema, RecordSchema, TagSchema};

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
/// use rxseal::columns::ReindexSql;
/// use rxseal::schema::Schema;
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let schema = Schema::new().with::<Patient>()?;
/// let patient = schema.record("patient").expect("it was added");
/// let sql = ReindexSql::postgres_of("patient", patient)?;
/// assert_eq!(sql.select_all(), r#"SELECT * FROM "patient" WHERE "id" > $1 ORDER BY "id" LIMIT $2"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReindexSql {
    table: Table,
    id: String,
    tokens: Vec<Column>,
    indexes: Vec<IndexCells>,
    is_postgres: bool,
    is_text: bool,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    quoted: String,
}

/// Where the values of an index are: a column, and in SQLite a table of its own if there are several in a row.
#[derive(Clone, Debug)]
struct IndexCells {
    column: Column,
    is_set: bool,
}

/// A parameter of [`ReindexSql::swap`]: which value of which row to bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapParameter<'s> {
    /// The id of the row.
    Id,
    /// What the new row has in this column.
    New(&'s str),
    /// What the row had in this column when it was read.
    Old(&'s str),
}

impl ReindexSql {
    /// For PostgreSQL, of a record type as its schema says: all columns of its tokens, or that of its record tag, which covers them, and
    /// its index columns. The fields of a nested struct are columns by their own names.
    ///
    /// # Errors
    ///
    /// Those of [`postgres`](Self::postgres), and `invalid-id` if the record has several id columns: then name in `postgres` the one that
    /// tells rows apart.
    pub fn postgres_of(table: &str, record: &RecordSchema) -> Result<Self, Error> {
        Self::of(table, record, true)
    }

    /// The same for SQLite.
    ///
    /// # Errors
    ///
    /// As for [`postgres_of`](Self::postgres_of).
    pub fn sqlite_of(table: &str, record: &RecordSchema) -> Result<Self, Error> {
        Self::of(table, record, false)
    }

    /// For PostgreSQL. `id` is the column that tells the rows apart, and `tokens` are the columns of the fields that the indexes are made
    /// of; of a row with a record tag, the column of the tag is enough. `indexes` are the index columns of the row's type, its
    /// [`INDEX_COLUMNS`](crate::SealedRecord::INDEX_COLUMNS).
    ///
    /// [`postgres_of`](Self::postgres_of) forgets no column of tokens. Without one, another program's change of that field alone is not
    /// seen, and its index gets the value of before.
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name is empty or contains a NUL, or the table's is not `table` or `schema.table`.
    pub fn postgres(table: &str, id: &str, tokens: &[&str], indexes: &[IndexColumn]) -> Result<Self, Error> {
        Self::new(table, id, tokens.iter().copied(), indexes.iter().map(named), true)
    }

    /// For SQLite, where the values of an index of several are rows of the table that [`IndexSql`](super::IndexSql) makes. Read them in one
    /// transaction with the page, or a value that another program changed meanwhile looks stale.
    ///
    /// # Errors
    ///
    /// As for [`postgres`](Self::postgres).
    pub fn sqlite(table: &str, id: &str, tokens: &[&str], indexes: &[IndexColumn]) -> Result<Self, Error> {
        Self::new(table, id, tokens.iter().copied(), indexes.iter().map(named), false)
    }

    fn of(table: &str, record: &RecordSchema, is_postgres: bool) -> Result<Self, Error> {
        let [id] = record.ids() else {
            return Err(Error::invalid_id("id column", SEVERAL).in_record(record.record_type()));
        };
        let tag = record.tag().map(TagSchema::member);
        let fields = record.fields().iter().map(FieldSchema::member).filter(|_| tag.is_none());
        let indexes = record.indexes().iter().map(|index| (index.member(), index.is_set()));
        Self::new(table, id.member(), tag.into_iter().chain(fields), indexes, is_postgres)
    }

    fn new<'t, 'i>(
        table: &str,
        id: &str,
        tokens: impl Iterator<Item = &'t str>,
        indexes: impl Iterator<Item = (&'i str, bool)>,
        is_postgres: bool,
    ) -> Result<Self, Error> {
        let indexes = indexes.map(|(name, is_set)| Ok(IndexCells { column: Column::new(name)?, is_set }));
        Ok(Self {
            table: Table::parse(table)?,
            id: quoted("column", id)?,
            tokens: tokens.map(Column::new).collect::<Result<_, _>>()?,
            indexes: indexes.collect::<Result<_, Error>>()?,
            is_postgres,
            is_text: false,
        })
    }

    /// The same for index columns of text. The prefixes of [`select`](Self::select) are texts of 4 characters then, as
    /// [`IndexPrefix`](crate::index::IndexPrefix) shows them, and each index value is bound as `value.to_string()`.
    ///
    /// In SQLite text is equal to no bytes, so without this call a job would find nothing and say that it is done. So the statements for SQLite
    /// fail at the first index value that is of the other form, in the table or in a parameter, and the error names this method.
    #[must_use]
    pub fn in_text(self) -> Self {
        Self { is_text: true, ..self }
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
        let mut has_former: Vec<_> = self.indexes.iter().map(|index| self.has_former(index, &listed)).collect();
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

    fn has_former(&self, index: &IndexCells, listed: &str) -> String {
        // FORMAT 15.5
        let length = self.prefix_len();
        let column = &index.column.quoted;
        match (self.is_postgres, index.is_set) {
            (true, false) => format!("substring({column} FROM 1 FOR {length}) {listed}"),
            (true, true) => {
                format!("EXISTS (SELECT FROM unnest({column}) AS v WHERE substring(v FROM 1 FOR {length}) {listed})")
            }
            (false, false) => self.is_former_in_sqlite(column, listed),
            (false, true) => {
                let (side, table, id) = (self.values_table(index), &self.table.quoted, &self.id);
                let is_former = self.is_former_in_sqlite("v.\"ix\"", listed);
                format!("EXISTS (SELECT 1 FROM {side} AS v WHERE v.{id} = {table}.{id} AND {is_former})")
            }
        }
    }

    fn is_former_in_sqlite(&self, value: &str, listed: &str) -> String {
        let length = self.prefix_len();
        let (other, refusal) = (self.other_type(), self.refusal_in_sqlite(value));
        format!("(substr({value}, 1, {length}) {listed} OR typeof({value}) = '{other}' AND {refusal})")
    }

    fn prefix_len(&self) -> usize {
        if self.is_text { 4 } else { 3 }
    }

    /// The type in SQLite that an index value does not have here.
    fn other_type(&self) -> &'static str {
        if self.is_text { "blob" } else { "text" }
    }

    /// An expression that fails with a text of ours: outside of a trigger SQLite has no other. It depends on `value`, so that SQLite does
    /// not compute it where it is not needed.
    fn refusal_in_sqlite(&self, value: &str) -> String {
        let text = if self.is_text {
            "ReindexSql::in_text is for index values of text, which are bound as value.to_string()"
        } else {
            "for index values of text call ReindexSql::in_text"
        };
        format!("json_extract('{{}}', '{text}' || substr({value}, 1, 0))")
    }

    /// Gives a row its new tokens and index values, if it still has the old ones. It writes one row, or none.
    /// [`swap_parameters`](Self::swap_parameters) says what to bind: the id; the new tokens; the new values of the index columns; the old
    /// tokens; the old values. Without a reseal, new and old tokens are the same.
    ///
    /// In SQLite an index of several values has no column here. In the same transaction, if a row was written, run
    /// [`replace_values`](Self::replace_values).
    #[must_use]
    pub fn swap(&self) -> String {
        let columns: Vec<_> = self.columns().map(|column| &column.quoted).collect();
        let set: Vec<_> =
            (2..).zip(&columns).map(|(at, column)| format!("{column} = {}", self.parameter(at))).collect();
        let first_old = columns.len().saturating_add(2);
        let is_same = if self.is_postgres { "IS NOT DISTINCT FROM" } else { "IS" };
        let as_read =
            (first_old..).zip(&columns).map(|(at, column)| format!(" AND {column} {is_same} {}", self.parameter(at)));
        let (table, id, first) = (&self.table.quoted, &self.id, self.parameter(1));
        let has_form = if self.is_postgres { String::new() } else { self.values_have_form(columns.len()) };
        format!("UPDATE {table} SET {} WHERE {id} = {first}{has_form}{}", set.join(", "), as_read.collect::<String>())
    }

    /// For SQLite: refuses parameters that are index values of the other form. They come behind the tokens, new and then old.
    fn values_have_form(&self, columns: usize) -> String {
        let first = self.tokens.len().saturating_add(2);
        let new = first..columns.saturating_add(2);
        let values: Vec<_> = new
            .flat_map(|at| [at, at.saturating_add(columns)])
            .map(|at| format!("typeof({})", self.parameter(at)))
            .collect();
        if values.is_empty() {
            return String::new();
        }
        let (other, refusal) = (self.other_type(), self.refusal_in_sqlite(&self.id));
        format!(" AND CASE WHEN '{other}' IN ({}) THEN {refusal} ELSE 1 END", values.join(", "))
    }

    /// What [`swap`](Self::swap) takes, parameter by parameter. Bind by this list and not by an order of your own: with a value in the place
    /// of another, nearly no row is as it was read, and the database reports no error.
    ///
    /// ```
    /// use rxseal::columns::{ReindexSql, SwapParameter::{Id, New, Old}};
    ///
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let sql = ReindexSql::sqlite("patient", "id", &["birth_date"], &[])?;
    /// assert_eq!(sql.swap_parameters().collect::<Vec<_>>(), [Id, New("birth_date"), Old("birth_date")]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn swap_parameters(&self) -> impl Iterator<Item = SwapParameter<'_>> {
        let names = || self.columns().map(|column| column.name.as_str());
        std::iter::once(SwapParameter::Id).chain(names().map(SwapParameter::New)).chain(names().map(SwapParameter::Old))
    }

    /// The columns of tokens, and then those of index values: in SQLite without the indexes of several values.
    fn columns(&self) -> impl Iterator<Item = &Column> {
        let is_column = |index: &&IndexCells| self.is_postgres || !index.is_set;
        self.tokens.iter().chain(self.indexes.iter().filter(is_column).map(|index| &index.column))
    }

    /// For SQLite: for each index of several values, the name of the row's field, the statement that deletes the values of a row, whose parameter
    /// is the id, and the one that inserts a value, whose parameters are the value and the id.
    pub fn replace_values(&self) -> impl Iterator<Item = (&str, String, String)> {
        self.indexes.iter().filter(|index| !self.is_postgres && index.is_set).map(|index| {
            let (side, id) = (self.values_table(index), &self.id);
            let delete = format!("DELETE FROM {side} WHERE {id} = ?1");
            let (other, refusal) = (self.other_type(), self.refusal_in_sqlite("?1"));
            let value = format!("CASE typeof(?1) WHEN '{other}' THEN {refusal} ELSE ?1 END");
            let insert = format!("INSERT INTO {side} (\"ix\", {id}) VALUES ({value}, ?2)");
            (index.column.name.as_str(), delete, insert)
        })
    }

    fn values_table(&self, index: &IndexCells) -> String {
        // Neither part has a NUL or is empty, so it is a name.
        self.table.beside(&format!("{}_{}", self.table.name, index.column.name)).unwrap_or_default()
    }

    fn parameter(&self, at: usize) -> String {
        format!("{}{at}", if self.is_postgres { '$' } else { '?' })
    }
}

impl Column {
    fn new(name: &str) -> Result<Self, Error> {
        Ok(Self { name: name.to_owned(), quoted: quoted("column", name)? })
    }
}

fn named(index: &IndexColumn) -> (&'static str, bool) {
    (index.name(), matches!(index.kind(), Kind::Parts | Kind::Sounds))
}

const SEVERAL: Reason = "the record has several: name the one that tells rows apart";
