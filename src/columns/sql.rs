//! The SQL by which a database itself refuses plaintext in a sealed column.

use std::fmt;

use super::ColumnLen;
use crate::aead::Letter;
use crate::codec::text;
use crate::count::{Table, fits_postgres, quoted};
use crate::error::{Error, Reason};
use crate::token::{RECORD_TAG_LEN, RECORD_TAG_MAGIC, RECORD_TAG_TEXT_MAGIC};

/// What a column must hold, and the SQL that makes a database refuse everything else: a domain in PostgreSQL, a named CHECK in SQLite and
/// MySQL.
///
/// It refuses plaintext that a forgotten code path, an import or a person writes. It cannot tell whether a token opens. The command
/// `rxseal ddl` prints the same statements.
///
/// A table is given as `table` or `schema.table`, as for [`CountSql`](crate::count::CountSql). All names are put in quotes.
///
/// ```
/// use rxseal::columns::{ColumnLen, ColumnSql};
/// use rxseal::phi::Drug;
/// # fn main() -> Result<(), rxseal::Error> {
/// let drug = ColumnSql::sealed("rx", "drug", ColumnLen::of::<Drug>(60).any_suite())?;
/// let sql = drug.postgres()?;
/// // In a migration; from now on plaintext is refused. Then seal what is left in the column.
/// assert!(sql.begin().contains(r#"ALTER TABLE "rx" ALTER COLUMN "drug" TYPE "rxseal_rx_drug";"#));
/// // In a later migration: it fails if plaintext is left.
/// assert_eq!(sql.finish(), r#"ALTER DOMAIN "rxseal_rx_drug" VALIDATE CONSTRAINT "sealed";"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSql {
    table: Table,
    column: String,
    content: Content,
    is_binary: bool,
    name: Option<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Token(ColumnLen),
    RecordTag,
}

impl ColumnSql {
    /// A column of tokens as text, of this length at most. It should be that of [`ColumnLen::any_suite`].
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name is empty or contains a NUL, or the table's is not `table` or `schema.table`.
    pub fn sealed(table: &str, column: &str, longest: ColumnLen) -> Result<Self, Error> {
        Self::new(table, column, Content::Token(longest))
    }

    /// A column of record tags as text, which have 64 characters (48 bytes). Every row must have one.
    ///
    /// # Errors
    ///
    /// As for [`sealed`](Self::sealed).
    pub fn record_tag(table: &str, column: &str) -> Result<Self, Error> {
        Self::new(table, column, Content::RecordTag)
    }

    fn new(table: &str, column: &str, content: Content) -> Result<Self, Error> {
        quoted("column", column)?;
        Ok(Self { table: Table::parse(table)?, column: column.to_owned(), content, is_binary: false, name: None })
    }

    /// A column of bytes instead of text.
    #[must_use]
    pub fn binary(self) -> Self {
        Self { is_binary: true, ..self }
    }

    /// With this name for the domain, or for the constraint in SQLite and MySQL. Without it, the name is `rxseal_TABLE_COLUMN`.
    ///
    /// # Errors
    ///
    /// `invalid-id`: the name is empty or contains a NUL.
    pub fn named(self, name: &str) -> Result<Self, Error> {
        quoted("domain", name)?;
        Ok(Self { name: Some(name.to_owned()), ..self })
    }

    /// For PostgreSQL from 12 on: a domain for an existing column of type `text` or `varchar`, or `bytea` if this is
    /// [`binary`](Self::binary). The domain is in the table's schema.
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name has more than 63 bytes, which PostgreSQL would cut off. If it is that of the domain, give one by
    /// [`named`](Self::named).
    pub fn postgres(&self) -> Result<DomainSql, Error> {
        let Self { table, column, .. } = self;
        fits_postgres("column", column)?;
        table.fits_postgres()?;
        let name = self.name();
        fits_postgres("domain", &name)?;
        let domain = table.beside(&name)?;
        let (table, column) = (&table.quoted, quoted("column", column)?);
        let base = if self.is_binary { "bytea" } else { "text COLLATE \"C\"" };
        let check = self.check(Dialect::Postgres, "VALUE");
        // The constraint comes last: with one, the type of a column cannot be changed without reading all its rows.
        let begin = format!(
            "\
CREATE DOMAIN {domain} AS {base};
ALTER TABLE {table} ALTER COLUMN {column} TYPE {domain};
ALTER DOMAIN {domain} ADD CONSTRAINT \"sealed\" CHECK ({check}) NOT VALID;"
        );
        let not_null = match self.content {
            Content::Token(_) => String::new(),
            Content::RecordTag => format!("\nALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;"),
        };
        let finish = format!("ALTER DOMAIN {domain} VALIDATE CONSTRAINT \"sealed\";{not_null}");
        Ok(DomainSql { begin, finish })
    }

    /// For SQLite: a statement that adds the column to an existing table. SQLite has no domains and adds no constraint to a column that is
    /// there: [`sqlite_gate`](Self::sqlite_gate) is for such a column. In a `CREATE TABLE`, write what follows `ADD COLUMN`.
    ///
    /// # Errors
    ///
    /// Those of [`sealed`](Self::sealed).
    pub fn sqlite(&self) -> Result<String, Error> {
        let (table, column) = (&self.table.quoted, quoted("column", &self.column)?);
        let name = quoted("domain", &self.name())?;
        // Affinities convert neither tokens in a text column nor those in a BLOB column, so the type is checked too.
        let (affinity, stored) = if self.is_binary { ("BLOB", "blob") } else { ("TEXT", "text") };
        let check = self.check(Dialect::Sqlite, &column);
        Ok(format!(
            "ALTER TABLE {table} ADD COLUMN {column} {affinity} CONSTRAINT {name} CHECK ({column} IS NULL OR typeof({column}) = '{stored}' AND {check});"
        ))
    }

    /// For SQLite: two triggers that refuse plaintext in a column that is there, from now on. Rows that are there stay as they are, and so
    /// does an update of their other columns. Text and bytes are both accepted, because a column has both while it is migrated.
    ///
    /// ```
    /// use rxseal::columns::{ColumnLen, ColumnSql};
    /// use rxseal::phi::Drug;
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let gate = ColumnSql::sealed("rx", "drug", ColumnLen::of::<Drug>(60).any_suite())?.sqlite_gate()?;
    /// assert!(gate.starts_with(r#"CREATE TRIGGER "rxseal_rx_drug_insert" BEFORE INSERT ON "rx" WHEN"#));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`sealed`](Self::sealed).
    pub fn sqlite_gate(&self) -> Result<String, Error> {
        let column = quoted("column", &self.column)?;
        let (table, value, name) = (quoted("table", &self.table.name)?, format!("NEW.{column}"), self.name());
        let [text, bytes] = [("text", false), ("blob", true)].map(|(stored, is_binary)| {
            let form = Self { is_binary, ..self.clone() };
            format!("typeof({value}) = '{stored}' AND {}", form.check(Dialect::Sqlite, &value))
        });
        let trigger = |end: &str, event: &str| {
            let trigger = self.table.beside(&format!("{name}_{end}"))?;
            let says = name.replace('\'', "''");
            Ok::<_, Error>(format!(
                "\
CREATE TRIGGER {trigger} BEFORE {event} ON {table} WHEN {value} IS NOT NULL AND NOT ({text} OR {bytes})
BEGIN SELECT RAISE(ABORT, '{says} takes no plaintext'); END;"
            ))
        };
        Ok(format!("{}\n{}", trigger("insert", "INSERT")?, trigger("update", &format!("UPDATE OF {column}"))?))
    }

    /// For MySQL from 8.0.16 on: a statement that adds the column to an existing table. In a `CREATE TABLE`, write what
    /// follows `ADD COLUMN`. The column is one character longer than the longest token, so a value that the server cuts, if it is not in
    /// strict mode, is still too long and is refused.
    ///
    /// # Errors
    ///
    /// `invalid-id`: the name of the constraint has more than 64 characters; give one by [`named`](Self::named).
    pub fn mysql(&self) -> Result<String, Error> {
        let name = self.name();
        if name.chars().count() > MAX_MYSQL_NAME {
            return Err(Error::invalid_id("constraint", TOO_LONG));
        }
        let schema = self.table.schema.as_deref().map_or_else(String::new, |schema| format!("{}.", backticks(schema)));
        let (table, column) = (backticks(&self.table.name), backticks(&self.column));
        let room = self.longest().saturating_add(1);
        let kind = match (self.is_binary, room <= MAX_MYSQL_VARCHAR) {
            (true, true) => format!("VARBINARY({room})"),
            (true, false) => "LONGBLOB".to_owned(),
            (false, true) => format!("VARCHAR({room}) CHARACTER SET ascii COLLATE ascii_bin"),
            (false, false) => "LONGTEXT CHARACTER SET ascii COLLATE ascii_bin".to_owned(),
        };
        let check = self.check(Dialect::Mysql, &column);
        let name = backticks(&name);
        Ok(format!("ALTER TABLE {schema}{table} ADD COLUMN {column} {kind}, ADD CONSTRAINT {name} CHECK ({check});"))
    }

    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("rxseal_{}_{}", self.table.name, self.column))
    }

    fn longest(&self) -> usize {
        match (self.content, self.is_binary) {
            (Content::Token(longest), true) => longest.bytes(),
            (Content::Token(longest), false) => longest.text(),
            (Content::RecordTag, true) => RECORD_TAG_LEN,
            (Content::RecordTag, false) => text::encoded_len(RECORD_TAG_LEN),
        }
    }

    /// The condition on a value that is not null. Regular expressions cost four times as much, and no token needs one: its beginning and its
    /// length are enough to tell it from text that people write.
    fn check(&self, dialect: Dialect, value: &str) -> String {
        let (starts, length) = (dialect.first(value, self.is_binary), dialect.length(value));
        let longest = self.longest();
        match (self.content, self.is_binary) {
            (Content::Token(_), true) => {
                let [a, b] = Letter::MAGIC_START;
                let (start, magic) = (starts(2), dialect.bytes(&format!("{a:02x}{b:02x}")));
                format!("{start} = {magic} AND {length} BETWEEN {} AND {longest}", SHORTEST.bytes())
            }
            (Content::Token(_), false) => {
                let (start, magic) = (starts(Letter::TEXT_MAGIC.len()), Letter::TEXT_MAGIC);
                let lengths = format!("{length} BETWEEN {} AND {longest} AND {length} % 4 <> 1", SHORTEST.text());
                format!("{start} = '{magic}' AND {lengths} AND {}", dialect.has_no_space(value))
            }
            (Content::RecordTag, true) => {
                let [a, b, c] = RECORD_TAG_MAGIC;
                let (start, magic) = (starts(3), dialect.bytes(&format!("{a:02x}{b:02x}{c:02x}")));
                format!("{start} = {magic} AND {length} = {longest}")
            }
            (Content::RecordTag, false) => {
                let (start, magic) = (starts(RECORD_TAG_TEXT_MAGIC.len()), RECORD_TAG_TEXT_MAGIC);
                format!("{start} = '{magic}' AND {length} = {longest}")
            }
        }
    }
}

/// The statements for a column of PostgreSQL, in two steps: before the rows that are there are sealed, and after.
///
/// Run each step as one transaction. As text, this is both steps with comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSql {
    begin: String,
    finish: String,
}

impl DomainSql {
    /// Three statements: they make the domain, give it to the column, and let it refuse what is written from now on. Rows that are there
    /// are neither read nor rewritten, and stay as they are, as does an update of their other columns. The table is locked for the moment
    /// that this takes. An index on the column is rebuilt.
    #[must_use]
    pub fn begin(&self) -> &str {
        &self.begin
    }

    /// One statement, or two for a record tag: PostgreSQL reads all rows and fails if one has something else than a token. Until it is done,
    /// nobody can write to the table.
    #[must_use]
    pub fn finish(&self) -> &str {
        &self.finish
    }
}

impl fmt::Display for DomainSql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begin, finish } = self;
        write!(
            f,
            "\
-- 1. From now on PostgreSQL refuses plaintext that is written to this column. It leaves the rows that are there as they are.
BEGIN;
{begin}
COMMIT;

-- 2. Later, when the rows that were there are sealed: this fails if plaintext is left.
BEGIN;
{finish}
COMMIT;"
        )
    }
}

#[derive(Clone, Copy)]
enum Dialect {
    Postgres,
    Sqlite,
    Mysql,
}

impl Dialect {
    /// The first characters or bytes of a value.
    fn first(self, value: &str, is_binary: bool) -> impl Fn(usize) -> String {
        move |n| match (self, is_binary) {
            // PostgreSQL has `left` for text only, and there it is faster than `substring`.
            (Self::Postgres, true) => format!("substring({value} FROM 1 FOR {n})"),
            (Self::Sqlite, _) => format!("substr({value}, 1, {n})"),
            (Self::Postgres, false) | (Self::Mysql, _) => format!("left({value}, {n})"),
        }
    }

    fn length(self, value: &str) -> String {
        match self {
            Self::Postgres | Self::Mysql => format!("octet_length({value})"),
            Self::Sqlite => format!("length({value})"),
        }
    }

    fn bytes(self, hex: &str) -> String {
        match self {
            Self::Postgres => format!("'\\x{hex}'::bytea"),
            Self::Sqlite | Self::Mysql => format!("x'{hex}'"),
        }
    }

    fn has_no_space(self, value: &str) -> String {
        match self {
            Self::Postgres => format!("position(' ' IN {value}) = 0"),
            Self::Sqlite | Self::Mysql => format!("instr({value}, ' ') = 0"),
        }
    }
}

/// MySQL quotes names so whatever its mode is.
pub(super) fn backticks(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// FORMAT 6.3.
const SHORTEST: ColumnLen = ColumnLen::padded_to(1, 0);
const MAX_MYSQL_NAME: usize = 64;
/// A row has room for 65,535 bytes, and other columns need some.
const MAX_MYSQL_VARCHAR: usize = 16_383;
const TOO_LONG: Reason = "at most 64 characters";
