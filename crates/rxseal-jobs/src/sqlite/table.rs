//! What SQLite says of a table: its columns, and what tells its rows apart.

use rusqlite::{Connection, OptionalExtension};

use super::statements::{Key, KeyColumn, Statements, quoted};
use super::trouble::Trouble;
use crate::row::Form;
use crate::spec::{Column, Spec};

/// A table of rows, as the file has it now.
#[derive(Clone, Debug)]
pub(super) struct Table {
    name: String,
    columns: Vec<Declared>,
    has_rowid: bool,
    /// Whether the primary key is the rowid itself. `INTEGER PRIMARY KEY DESC` is not: it has an index, and may be NULL.
    key_is_rowid: bool,
}

#[derive(Clone, Debug)]
struct Declared {
    name: String,
    declared: String,
    /// Whether SQLite itself keeps NULL out.
    is_filled: bool,
    is_key: bool,
    is_generated: bool,
}

impl Table {
    pub(super) fn read(connection: &Connection, name: &str) -> Result<Self, Trouble> {
        // SQLite compares names without regard to case, and only tables have rows that can be written.
        let kind = "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE";
        let kind = connection.query_row(kind, [name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)));
        let without_rowid = match kind.optional()? {
            Some((kind, without_rowid)) if kind == "table" => without_rowid,
            Some((kind, _)) => {
                return Err(Trouble::refused(format!("{name} is a {kind}: name the table that has the rows")));
            }
            None => return Err(Trouble::refused(format!("there is no table {name}"))),
        };
        let columns = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1)";
        let mut statement = connection.prepare(columns)?;
        let columns = statement.query_map([name], |row| {
            let (declared, pk): (String, i64) = (row.get(1)?, row.get(3)?);
            // 1 is a hidden column of a virtual table, 2 and 3 are generated ones.
            Ok(Declared {
                name: row.get(0)?,
                declared,
                is_filled: row.get(2)?,
                is_key: pk > 0,
                is_generated: row.get::<_, i64>(4)? > 0,
            })
        })?;
        let columns = columns.collect::<rusqlite::Result<Vec<Declared>>>()?;
        let has_index = "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')";
        let has_index: bool = connection.query_row(has_index, [name], |row| row.get(0))?;
        let key_is_rowid = !without_rowid && !has_index && columns.iter().any(|column| column.is_key);
        Ok(Self { name: name.to_owned(), columns, has_rowid: !without_rowid, key_is_rowid })
    }

    /// The statements of a job over these columns, and the form of each column.
    pub(super) fn statements(&self, connection: &Connection, spec: &Spec) -> Result<(Statements, Vec<Form>), Trouble> {
        let columns = spec.columns();
        let filter = spec.keyspace_filter().map(|(column, _)| column);
        filter.map(|column| self.column(column)).transpose()?;
        let key = self.key(connection, columns)?;
        let form = |column: &Column| {
            if column.is_written() {
                return self.form(column.name());
            }
            self.column(column.name())?;
            Ok(Form::Text)
        };
        let forms = columns.iter().map(form).collect::<Result<_, Trouble>>()?;
        Ok((Statements::new(quoted(&self.name), columns, key, filter), forms))
    }

    /// The form of tokens in this column: bytes in a BLOB column, text in one of text.
    fn form(&self, column: &str) -> Result<Form, Trouble> {
        let column = self.column(column)?;
        let declared = column.declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        // In the order of SQLite's rules of affinity.
        match () {
            () if column.is_generated => {
                Err(Trouble::refused(format!("{}.{} is generated: it cannot be written", self.name, column.name)))
            }
            () if declared == "ANY" => Ok(Form::Text),
            () if has(&["INT"]) => Err(self.no_room(column)),
            () if has(&["CHAR", "CLOB", "TEXT"]) => Ok(Form::Text),
            () if has(&["BLOB"]) => Ok(Form::Bytes),
            () if declared.is_empty() => Ok(Form::Text),
            () => Err(self.no_room(column)),
        }
    }

    fn no_room(&self, column: &Declared) -> Trouble {
        let Declared { name, declared, .. } = column;
        Trouble::refused(format!(
            "{}.{name} is declared {declared}, which is for numbers: add a column of TEXT or BLOB, and copy into it",
            self.name
        ))
    }

    fn column(&self, name: &str) -> Result<&Declared, Trouble> {
        let found = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Trouble::refused(format!("the table {} has no column {name}", self.name)))
    }

    /// The key that tells rows apart: the primary key before any other. A key over a column that the job writes does not serve: it would
    /// put plaintext into the chunks' bounds and the faults.
    fn key(&self, connection: &Connection, of_job: &[Column]) -> Result<Key, Trouble> {
        let stays = |name: &String| {
            !of_job.iter().any(|column| column.is_written() && column.name().eq_ignore_ascii_case(name))
        };
        let Some(columns) = self.unique_columns(connection, stays)? else {
            return Err(Trouble::refused(format!(
                "{} has neither a primary key nor a unique index over columns that stay as they are, so its rows cannot be told apart: add one",
                self.name
            )));
        };
        let columns = columns.iter().map(|name| {
            let column = self.column(name)?;
            // Of a primary key, SQLite keeps NULL out of the rowid alone, and of tables without rowids.
            let may_be_null = !(column.is_filled || column.is_key && (self.key_is_rowid || !self.has_rowid));
            Ok(KeyColumn { name: column.name.clone(), may_be_null })
        });
        let columns = columns.collect::<Result<_, Trouble>>()?;
        Ok(Key { columns, rowid: self.rowid()? })
    }

    /// A name of the rowid that is not the name of a column.
    fn rowid(&self) -> Result<Option<String>, Trouble> {
        if !self.has_rowid {
            return Ok(None);
        }
        let is_free = |name: &&str| !self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        match ["rowid", "_rowid_", "oid"].into_iter().find(is_free) {
            Some(name) => Ok(Some(name.to_owned())),
            None => Err(Trouble::refused(format!("{} has columns of all names that SQLite has for rows", self.name))),
        }
    }

    fn unique_columns(
        &self,
        connection: &Connection,
        stays: impl Fn(&String) -> bool,
    ) -> Result<Option<Vec<String>>, Trouble> {
        if self.key_is_rowid {
            return Ok(Some(self.columns.iter().filter(|column| column.is_key).map(|key| key.name.clone()).collect()));
        }
        let indexes =
            "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND partial = 0 ORDER BY origin <> 'pk', seq";
        let mut statement = connection.prepare(indexes)?;
        let indexes = statement.query_map([&self.name], |row| row.get::<_, String>(0))?;
        let mut columns = connection.prepare("SELECT name FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno")?;
        for index in indexes {
            // An expression has no name.
            let of = columns.query_map([index?], |row| row.get::<_, Option<String>>(0))?;
            let of: Option<Vec<String>> = of.collect::<rusqlite::Result<_>>()?;
            if of.as_ref().is_some_and(|names| names.iter().all(&stays)) {
                return Ok(of);
            }
        }
        Ok(None)
    }
}
