//! The SQL of an index column: the column, its index in the database, and what empties it.

use super::sql::backticks;
use crate::count::{Table, fits_postgres, quoted};
use crate::error::{Error, Reason};
use crate::index::{Definition, Index, Kind, MAX_VALUES};

/// A column for the values of an index, the database's own index on it, and what empties it for a patient who was shredded.
///
/// The database refuses what has another length than a value, such as a plaintext. An index of kind parts or sounds has several values
/// in each record: an array in PostgreSQL, and in SQLite and MySQL a table beside the records', `TABLE_COLUMN`, with a row for each.
///
/// The command `rxseal ddl --index` prints the same statements. Names of tables are as in [`ColumnSql`](super::ColumnSql).
///
/// ```
/// use rxseal::columns::IndexSql;
/// use rxseal::index::Kind;
///
/// # fn main() -> Result<(), rxseal::Error> {
/// // `IndexSql::of::<BornOn>("patient", "born_on")` takes kind and bits from the declaration.
/// let born = IndexSql::new("patient", "born_on", Kind::Whole, &[14])?;
/// assert!(born.postgres()?.contains(r#"ADD CONSTRAINT "index_value" CHECK (octet_length(VALUE) = 5)"#));
/// assert_eq!(born.clear_sqlite("id")?, r#"UPDATE "patient" SET "born_on" = NULL WHERE "id" = ?1;"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSql {
    table: Table,
    column: String,
    is_set: bool,
    is_unique: bool,
    /// Of a value of each definition, present and former: ascending, each once.
    lengths: Vec<usize>,
}

impl IndexSql {
    /// The column of an index, with room for the values of its former definitions too.
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name is empty or contains a NUL, or the table's is not `table` or `schema.table`.
    pub fn of<I: Index>(table: &str, column: &str) -> Result<Self, Error> {
        let former: Vec<_> = I::FORMER.iter().map(Definition::bits).collect();
        Self::new(table, column, I::DEFINITION.kind(), &[&[I::DEFINITION.bits()], former.as_slice()].concat())
    }

    /// The column of an index of this kind. `bits` are those of its definition, and after them those of former definitions.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of), and `invalid-id` if there are no bits, or not 8 to 64 or 128.
    pub fn new(table: &str, column: &str, kind: Kind, bits: &[u8]) -> Result<Self, Error> {
        quoted("column", column)?;
        if bits.is_empty() || !bits.iter().all(|bits| matches!(bits, 8..=64 | 128)) {
            return Err(Error::invalid_id("bits of an index", "8 to 64, or 128 for a uniqueness check"));
        }
        let mut lengths: Vec<_> =
            bits.iter().map(|bits| PREFIX.saturating_add(usize::from(bits.div_ceil(8)))).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Ok(Self {
            table: Table::parse(table)?,
            column: column.to_owned(),
            is_set: matches!(kind, Kind::Parts | Kind::Sounds),
            is_unique: bits.first() == Some(&128),
            lengths,
        })
    }

    /// Whether the values are rows of a table of their own in SQLite and MySQL.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.is_set
    }

    /// For PostgreSQL from 12 on: a domain, the column, and its index (B-tree, or GIN for an array). They are one transaction, and read
    /// all rows once for the index. If the table is large and in use, run the last statement by itself, with `CREATE INDEX CONCURRENTLY`.
    ///
    /// A unique index sees equal values of one index root only: while a root is exchanged, ask for the values of both before you insert.
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name, or that of the domain `rxseal_TABLE_COLUMN`, has more than 63 bytes.
    pub fn postgres(&self) -> Result<String, Error> {
        fits_postgres("column", &self.column)?;
        self.table.fits_postgres()?;
        let name = self.name();
        fits_postgres("domain", &name)?;
        let domain = self.table.beside(&name)?;
        let (table, column) = (&self.table.quoted, quoted("column", &self.column)?);
        let (base, check, using) = if self.is_set {
            // An element beyond the end is null, which a CHECK accepts.
            let elements: Vec<_> =
                (1..=MAX_VALUES).map(|at| self.has_length(&format!("octet_length(VALUE[{at}])"))).collect();
            ("bytea[]", format!("cardinality(VALUE) <= {MAX_VALUES} AND {}", elements.join(" AND ")), " USING gin")
        } else {
            ("bytea", self.has_length("octet_length(VALUE)"), "")
        };
        let unique = self.unique();
        Ok(format!(
            "\
CREATE DOMAIN {domain} AS {base};
ALTER TABLE {table} ADD COLUMN {column} {domain};
ALTER DOMAIN {domain} ADD CONSTRAINT \"index_value\" CHECK ({check}) NOT VALID;
CREATE {unique}INDEX ON {table}{using} ({column});"
        ))
    }

    /// For SQLite: the column and its index. For an index of several values, the table of its values: `id` is the column of the records'
    /// table that tells them apart.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of), for `id` too.
    pub fn sqlite(&self, id: &str) -> Result<String, Error> {
        let column = quoted("column", &self.column)?;
        let check =
            |column: &str| format!("typeof({column}) = 'blob' AND {}", self.has_length(&format!("length({column})")));
        let (constraint, index) = (quoted("name", &self.name())?, self.table.beside(&self.name())?);
        let on = quoted("table", &self.values_table())?;
        if self.is_set {
            let (side, id, check) = (self.table.beside(&self.values_table())?, quoted("column", id)?, check("\"ix\""));
            return Ok(format!(
                "\
CREATE TABLE {side} (\"ix\" BLOB NOT NULL CONSTRAINT {constraint} CHECK ({check}), {id} NOT NULL, PRIMARY KEY (\"ix\", {id})) WITHOUT ROWID;
CREATE INDEX {index} ON {on} ({id});"
            ));
        }
        let (table, on, unique) = (&self.table.quoted, quoted("table", &self.table.name)?, self.unique());
        let check = check(&column);
        Ok(format!(
            "\
ALTER TABLE {table} ADD COLUMN {column} BLOB CONSTRAINT {constraint} CHECK ({column} IS NULL OR {check});
CREATE {unique}INDEX {index} ON {on} ({column});"
        ))
    }

    /// For MySQL from 8.0.16 on: the same. `id` is the column of the records' table and `id_type` its type in SQL, such as
    /// `BIGINT`; both are for an index of several values.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of), for `id` too; `invalid-id` if `id_type` has something else than letters, digits, spaces, commas and
    /// parentheses.
    pub fn mysql(&self, id: &str, id_type: &str) -> Result<String, Error> {
        quoted("column", id)?;
        if id_type.is_empty() || !id_type.chars().all(|c| c.is_ascii_alphanumeric() || " (),".contains(c)) {
            return Err(Error::invalid_id("type of a column", ID_TYPE));
        }
        let schema = self.mysql_schema();
        // One byte more than the longest value, so that what the server cuts, if it is not in strict mode, is still too long.
        let room = self.lengths.last().map_or(0, |longest| longest.saturating_add(1));
        let unique = self.unique();
        let name = backticks(&self.name());
        Ok(if self.is_set {
            let (side, id) = (backticks(&self.values_table()), backticks(id));
            let check = self.has_length("octet_length(`ix`)");
            format!(
                "CREATE TABLE {schema}{side} (`ix` VARBINARY({room}) NOT NULL, {id} {id_type} NOT NULL, PRIMARY KEY (`ix`, {id}), \
                 KEY ({id}), CONSTRAINT {name} CHECK ({check}));"
            )
        } else {
            let (table, column) = (backticks(&self.table.name), backticks(&self.column));
            let check = self.has_length(&format!("octet_length({column})"));
            format!(
                "ALTER TABLE {schema}{table} ADD COLUMN {column} VARBINARY({room}), ADD CONSTRAINT {name} CHECK ({check}), ADD \
                 {unique}KEY ({column});"
            )
        })
    }

    /// For PostgreSQL: the statement that empties the column for the record with the id `$1`.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of), for `id` too.
    pub fn clear_postgres(&self, id: &str) -> Result<String, Error> {
        let (table, column, id) = (&self.table.quoted, quoted("column", &self.column)?, quoted("column", id)?);
        Ok(format!("UPDATE {table} SET {column} = NULL WHERE {id} = $1;"))
    }

    /// For SQLite: the statement that empties the column for the record with the id `?1`, or deletes its rows from the table of several
    /// values.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of), for `id` too.
    pub fn clear_sqlite(&self, id: &str) -> Result<String, Error> {
        let (table, column, id) = (&self.table.quoted, quoted("column", &self.column)?, quoted("column", id)?);
        Ok(if self.is_set {
            format!("DELETE FROM {} WHERE {id} = ?1;", self.table.beside(&self.values_table())?)
        } else {
            format!("UPDATE {table} SET {column} = NULL WHERE {id} = ?1;")
        })
    }

    /// For MySQL: the same for the record with the id `?`.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of), for `id` too.
    pub fn clear_mysql(&self, id: &str) -> Result<String, Error> {
        quoted("column", id)?;
        let (schema, id) = (self.mysql_schema(), backticks(id));
        Ok(if self.is_set {
            format!("DELETE FROM {schema}{} WHERE {id} = ?;", backticks(&self.values_table()))
        } else {
            let (table, column) = (backticks(&self.table.name), backticks(&self.column));
            format!("UPDATE {schema}{table} SET {column} = NULL WHERE {id} = ?;")
        })
    }

    fn mysql_schema(&self) -> String {
        self.table.schema.as_deref().map_or_else(String::new, |schema| format!("{}.", backticks(schema)))
    }

    fn name(&self) -> String {
        format!("rxseal_{}_{}", self.table.name, self.column)
    }

    fn values_table(&self) -> String {
        format!("{}_{}", self.table.name, self.column)
    }

    fn unique(&self) -> &'static str {
        if self.is_unique { "UNIQUE " } else { "" }
    }

    fn has_length(&self, length: &str) -> String {
        match self.lengths.as_slice() {
            [one] => format!("{length} = {one}"),
            several => {
                let several: Vec<_> = several.iter().map(ToString::to_string).collect();
                format!("{length} IN ({})", several.join(", "))
            }
        }
    }
}

/// FORMAT 15.5
const PREFIX: usize = 3;
const ID_TYPE: Reason = "a type of SQL, of letters, digits, spaces, commas and parentheses";
