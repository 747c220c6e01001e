//! What the server says of a table: by which columns its rows are told apart, and of which types its columns are.

use rxseal::count::CountSql;
use sqlx::postgres::PgConnection;

use super::trouble::Trouble;
use crate::row::Form;
use crate::spec::{Column, Spec};
use crate::trouble::refused;

/// A table of a job, with its names in quotes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) quoted: String,
    /// The columns of the primary key, or of another key that serves as one.
    pub(super) key: Vec<KeyColumn>,
    /// In the order of the spec.
    pub(super) columns: Vec<TableColumn>,
    /// The column of the keyspace, in quotes, and the keyspace of the job, if rows of several are in the table.
    pub(super) filter: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct KeyColumn {
    pub(super) quoted: String,
    /// What a text of it is cast to.
    pub(super) cast: String,
}

#[derive(Clone, Debug)]
pub(super) struct TableColumn {
    pub(super) quoted: String,
    pub(super) held: Held,
    pub(super) is_written: bool,
}

/// How a column holds what the work gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// As text, or anything else that is only read.
    Text,
    Bytes,
    /// An array of texts, which the work sees as a JSON array.
    TextList,
}

impl Held {
    pub(super) fn form(self) -> Form {
        match self {
            Self::Bytes => Form::Bytes,
            Self::Text | Self::TextList => Form::Text,
        }
    }
}

const KIND: &str =
    "SELECT c.oid::int8, c.relkind::text, pg_is_in_recovery() FROM pg_class AS c WHERE c.oid = to_regclass($1)";

/// The primary key before any other that tells rows apart for certain. A key over a column that the job writes does not serve: it would
/// put plaintext into the chunks' bounds and the faults. Nor does one whose collation is not the column's, by which rows are found: what
/// it tells apart may be equal there.
const KEY: &str = "\
SELECT a.attname::text, format_type(a.atttypid, -1)
FROM pg_attribute AS a JOIN (
    SELECT i.indexrelid, i.indrelid, i.indkey, i.indnkeyatts FROM pg_index AS i
    WHERE i.indrelid = $1::oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (
            SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n) JOIN pg_attribute AS b ON b.attrelid = i.indrelid AND b.attnum = k.attnum
            WHERE k.n <= i.indnkeyatts
                AND (NOT b.attnotnull OR b.attname = ANY ($2) OR (i.indcollation::oid[])[k.n::int - 1] <> b.attcollation)
        )
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1
) AS best ON a.attrelid = best.indrelid
JOIN LATERAL unnest(best.indkey::int2[]) WITH ORDINALITY AS k (attnum, n) ON k.attnum = a.attnum AND k.n <= best.indnkeyatts
ORDER BY k.n";

/// The type under all domains, and whether it is an array.
const COLUMNS: &str = "\
WITH RECURSIVE typed AS (
    SELECT a.attname::text AS name, a.attgenerated::text AS made, t.oid, t.typtype, t.typbasetype, t.typcategory::text AS category
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.name, d.made, t.oid, t.typtype, t.typbasetype, t.typcategory::text
    FROM typed AS d JOIN pg_type AS t ON t.oid = d.typbasetype WHERE d.typtype = 'd'
)
SELECT name, made, format_type(oid, -1), category FROM typed WHERE typtype <> 'd'";

impl Table {
    /// Reads what the server says of the table of a job.
    pub(super) async fn read(db: &mut PgConnection, spec: &Spec) -> Result<Self, Trouble> {
        let first = spec.columns().first().map_or("id", Column::name);
        let quoted = CountSql::postgres(spec.table(), first)?.quoted_table().to_owned();
        let kind: Option<(i64, String, bool)> =
            sqlx::query_as(KIND).persistent(false).bind(&quoted).fetch_optional(&mut *db).await?;
        let Some((oid, kind, is_standby)) = kind else {
            return Err(refused(
                "there is no such table: write it as `schema.table`, in the case in which it was created",
            )
            .into());
        };
        if is_standby {
            return Err(refused("the server is a standby: connect to the primary server").into());
        }
        if !matches!(kind.as_str(), "r" | "p") {
            return Err(refused(
                "it is not a table but a view, a foreign table or the like: name the table that its rows are in",
            )
            .into());
        }
        let key = key(db, oid, spec.columns()).await?;
        let columns = columns(db, oid, spec.columns()).await?;
        let filter = spec.keyspace_filter().map(|(column, keyspace)| (quoted_name(column), keyspace.to_owned()));
        Ok(Self { quoted, key, columns, filter })
    }

    /// The columns that the job may write, with their places in the spec.
    pub(super) fn written(&self) -> impl Iterator<Item = (usize, &TableColumn)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.is_written)
    }
}

async fn key(db: &mut PgConnection, oid: i64, columns: &[Column]) -> Result<Vec<KeyColumn>, Trouble> {
    let written: Vec<&str> = columns.iter().filter(|column| column.is_written()).map(Column::name).collect();
    let key = sqlx::query_as(KEY).persistent(false).bind(oid).bind(written);
    let rows: Vec<(String, String)> = key.fetch_all(&mut *db).await?;
    if rows.is_empty() {
        let text = "the table has neither a primary key nor a unique index over columns that are NOT NULL and stay as they are, with the collations of these columns, so its rows cannot be told apart: add one";
        return Err(refused(text).into());
    }
    Ok(rows.into_iter().map(|(name, cast)| KeyColumn { quoted: quoted_name(&name), cast }).collect())
}

async fn columns(db: &mut PgConnection, oid: i64, wanted: &[Column]) -> Result<Vec<TableColumn>, Trouble> {
    let found: Vec<(String, String, String, String)> =
        sqlx::query_as(COLUMNS).persistent(false).bind(oid).fetch_all(&mut *db).await?;
    let of = |column: &Column| {
        let Some((_, made, base, category)) = found.iter().find(|(name, ..)| name == column.name()) else {
            return Err(refused(format!("the table has no column {}: correct the map", column.name())));
        };
        let is_written = column.is_written();
        let held = match (base.as_str(), category.as_str()) {
            ("bytea", _) => Held::Bytes,
            ("text[]" | "character varying[]", "A") => Held::TextList,
            (_, "S") => Held::Text,
            _ if !is_written => Held::Text,
            _ => {
                let text = format!(
                    "the column {} is of type {base}, which holds no token: add a column of type text or bytea",
                    column.name()
                );
                return Err(refused(text));
            }
        };
        if is_written && !made.is_empty() {
            return Err(refused(format!("the column {} is generated, so nobody can write it", column.name())));
        }
        Ok(TableColumn { quoted: quoted_name(column.name()), held, is_written })
    };
    Ok(wanted.iter().map(of).collect::<Result<_, _>>()?)
}

/// A name in double quotes.
pub(super) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
