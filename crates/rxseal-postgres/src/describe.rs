//! What a table is and which columns it has.

use rxseal::Error;
use rxseal::count::CountSql;
use sqlx::postgres::PgConnection;

use crate::count::{begin, connected};
use crate::trouble::Table;

/// A table or a view, as PostgreSQL describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresTable {
    doubt: Option<&'static str>,
    columns: Vec<PostgresColumn>,
}

impl PostgresTable {
    /// Why it may leave rows out, in the words of [`KeyCounts::doubt`](rxseal::count::KeyCounts::doubt): it is a view or a partition, or
    /// the server is a standby.
    #[must_use]
    pub fn doubt(&self) -> Option<&'static str> {
        self.doubt
    }

    /// The columns, in their order.
    #[must_use]
    pub fn columns(&self) -> &[PostgresColumn] {
        &self.columns
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresColumn {
    name: String,
    declared: String,
    base: String,
    max_chars: Option<u32>,
    is_generated: bool,
}

impl PostgresColumn {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type as SQL says it, such as `character varying(160)`. For a domain that is the domain's name.
    #[must_use]
    pub fn declared(&self) -> &str {
        &self.declared
    }

    /// The server's own name of its type, such as `varchar` or `_text` (an array of texts). For a domain it is the type below.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether a token as text is in it as it was written: `text` and `varchar`, also in arrays. `char(n)` adds spaces.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        ["text", "varchar", "citext", "_text", "_varchar"].contains(&&*self.base)
    }

    /// Whether it has bytes: `bytea`, also in arrays.
    #[must_use]
    pub fn takes_bytes(&self) -> bool {
        ["bytea", "_bytea"].contains(&&*self.base)
    }

    /// The most characters that a value may have, if its type says so: 160 for `varchar(160)`.
    #[must_use]
    pub fn max_chars(&self) -> Option<u32> {
        self.max_chars
    }

    /// Whether it is computed from other columns.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.is_generated
    }
}

/// Describes a table. `None` if there is no such table or view, or the role may not see it.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rxseal::Error> {
/// if let Some(table) = rxseal_postgres::describe_postgres("postgres://audit@db/pharmacy", "public.rx").await? {
///     for column in table.columns().iter().filter(|column| !column.takes_text() && !column.takes_bytes()) {
///         println!("{} has no room for tokens: it is {}", column.name(), column.declared());
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_postgres`](crate::count_postgres), except for a table that does not exist.
pub async fn describe_postgres(url: &str, table: &str) -> Result<Option<PostgresTable>, Error> {
    // Any column: only the names of the table are wanted.
    let sql = CountSql::postgres(table, "c")?;
    let about = Table::Counted { table, column: "" };
    connected(url, &about, async |connection| describe(connection, &sql).await).await
}

/// Domains are followed to the type below them. A length is that of `varchar(n)` or `char(n)`, 4 less than the modifier.
const COLUMNS: &str = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), below.name,
    CASE WHEN below.name IN ('varchar', 'bpchar', '_varchar', '_bpchar') AND below.modifier >= 4 THEN below.modifier - 4 END,
    a.attgenerated <> ''
FROM pg_attribute AS a CROSS JOIN LATERAL (
    WITH RECURSIVE types (type, modifier) AS (
        SELECT a.atttypid, a.atttypmod
        UNION ALL
        SELECT t.typbasetype, t.typtypmod FROM types JOIN pg_type AS t ON t.oid = types.type WHERE t.typtype = 'd'
    )
    SELECT t.typname::text AS name, types.modifier FROM types JOIN pg_type AS t ON t.oid = types.type WHERE t.typtype <> 'd'
) AS below
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

async fn describe(connection: &mut PgConnection, sql: &CountSql) -> Result<Option<PostgresTable>, sqlx::Error> {
    let (mut reading, doubt) = begin(connection, sql).await?;
    let query = sqlx::query_as(COLUMNS).persistent(false).bind(sql.quoted_table());
    let rows: Vec<(String, String, String, Option<i32>, bool)> = query.fetch_all(&mut *reading).await?;
    reading.rollback().await?;
    let columns = rows.into_iter().map(|(name, declared, base, max_chars, is_generated)| {
        let max_chars = max_chars.and_then(|length| u32::try_from(length).ok());
        PostgresColumn { name, declared, base, max_chars, is_generated }
    });
    let columns: Vec<_> = columns.collect();
    Ok((!columns.is_empty()).then_some(PostgresTable { doubt, columns }))
}

/// Schema and name of all tables that hold rows of their own and that the role may see, in all schemas but those of the server.
///
/// # Errors
///
/// Those of [`describe_postgres`].
pub async fn tables_of(url: &str) -> Result<Vec<(String, String)>, Error> {
    connected(url, &Table::Other, async |connection| {
        sqlx::query_as(TABLES).persistent(false).fetch_all(connection).await
    })
    .await
}

/// Partitions are in the table that they are of.
const TABLES: &str = "SELECT n.nspname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema$)' ORDER BY 1, 2";
