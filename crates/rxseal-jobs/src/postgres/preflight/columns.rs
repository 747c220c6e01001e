//! Whether the columns hold what the job writes.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, query, query_as};

use super::table::{Table, longest, row};
use crate::preflight::{Concern, ConcernKind, Flow, Preflight, StepColumn, Target, token_len};
use crate::spec::Padding;

row! {
    struct Column {
        name: String,
        quoted: String,
        /// With its length, such as `character varying(60)`.
        shown: String,
        /// The type that a domain is over, without a length.
        base: String,
        /// Of `varchar(n)`.
        length: Option<i32>,
        domain: Option<String>,
        generated: bool,
        is_exact: bool,
        may_read: bool,
        may_write: bool,
        in_partition_key: bool,
    }
}

/// A column of a sealed field that can hold a token.
pub(super) struct SealedColumn {
    pub(super) name: String,
    pub(super) quoted: String,
    pub(super) is_bytes: bool,
    /// An array of texts.
    pub(super) is_list: bool,
    pub(super) padding: Padding,
}

impl SealedColumn {
    pub(super) fn step(&self) -> StepColumn {
        let longest = usize::try_from(self.padding.max_len).unwrap_or(usize::MAX);
        StepColumn { name: self.name.clone(), is_bytes: self.is_bytes, longest: token_len(self.padding, longest) }
    }

    /// The length of the token of such a value, in this column.
    pub(super) fn token(&self, value: usize) -> usize {
        let len = token_len(self.padding, value);
        if self.is_bytes { len.bytes() } else { len.text() }
    }
}

const COLUMNS: &str = "
WITH RECURSIVE typed AS (
    SELECT a.attnum, a.atttypid AS typ, a.atttypmod AS typmod, 0 AS depth FROM pg_attribute AS a
    WHERE a.attrelid = $1::bigint::oid AND a.attname = ANY ($2) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.attnum, t.typbasetype, CASE WHEN d.typmod = -1 THEN t.typtypmod ELSE d.typmod END, d.depth + 1
    FROM typed AS d JOIN pg_type AS t ON t.oid = d.typ WHERE t.typtype = 'd'
), base AS (
    SELECT DISTINCT ON (attnum) attnum, typ, typmod FROM typed ORDER BY attnum, depth DESC
)
SELECT a.attname AS name, quote_ident(a.attname) AS quoted, format_type(a.atttypid, a.atttypmod) AS shown,
    t.typname AS base, CASE WHEN t.typname = 'varchar' AND b.typmod > 4 THEN b.typmod - 4 END AS length,
    CASE WHEN own.typtype = 'd' THEN format_type(a.atttypid, NULL) END AS domain,
    a.attgenerated <> '' AS generated, coalesce(l.collisdeterministic, true) AS is_exact,
    has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS may_read,
    has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS may_write,
    EXISTS (SELECT FROM pg_partitioned_table AS p WHERE p.partrelid = a.attrelid AND (a.attnum = ANY (p.partattrs)
        OR EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = p.partrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.partrelid AND d.refobjsubid = a.attnum))) AS in_partition_key
FROM pg_attribute AS a JOIN base AS b ON b.attnum = a.attnum JOIN pg_type AS t ON t.oid = b.typ
    JOIN pg_type AS own ON own.oid = a.atttypid LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE a.attrelid = $1::bigint::oid";

/// Whether rows are told apart by a unique index over columns that are never null and that the job does not write, with their own collations,
/// and whether the columns of the map's id are such a key.
const KEY: &str = "
WITH keys AS (
    SELECT i.indrelid, i.indkey, i.indnkeyatts FROM pg_index AS i
    WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
    AND i.indnkeyatts = (SELECT count(*) FROM pg_attribute AS a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]) AND a.attnotnull AND a.attname <> ALL ($3)
            AND (i.indcollation::oid[])[array_position(i.indkey::int2[], a.attnum)] = a.attcollation)
)
SELECT EXISTS (SELECT FROM keys), EXISTS (
    SELECT FROM keys AS i WHERE (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute AS a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
        = (SELECT array_agg(name ORDER BY name COLLATE \"C\") FROM unnest($2::text[]) AS name))";

/// The columns of sealed fields that can hold tokens.
pub(super) async fn look(
    db: &mut PgConnection,
    table: &Table,
    target: &Target,
    found: &mut Preflight,
) -> Result<Vec<SealedColumn>, sqlx::Error> {
    let names = target.columns();
    let columns: Vec<Column> =
        query_as(COLUMNS).persistent(false).bind(table.oid).bind(&names).fetch_all(&mut *db).await?;
    let written: Vec<&str> = target.written.iter().map(|column| &*column.name).collect();
    let keys = query_as(KEY).persistent(false).bind(table.oid).bind(&target.id).bind(written);
    let (has_key, is_id): (bool, bool) = keys.fetch_one(&mut *db).await?;
    if !has_key {
        found.add(Concern::of(ConcernKind::NoKey));
    } else if !is_id {
        found.add(Concern::of(ConcernKind::SharedId).object(target.id.join(", ")));
    }
    let mut sealed = Vec::new();
    for name in names {
        let Some(column) = columns.iter().find(|column| column.name == name) else {
            found.add(Concern::of(ConcernKind::NoColumn).column(name));
            continue;
        };
        let written = target.written.iter().find(|written| written.name == name);
        judge(column, written.is_some(), target, found);
        let Some(padding) = written.and_then(|written| written.padding) else { continue };
        if !holds_tokens(column, found) {
            continue;
        }
        let is_list = column.base.starts_with('_');
        if column.may_read && !table.hides_rows && !is_list {
            fits(db, table, column, padding, target.flow, found).await?;
        }
        sealed.push(SealedColumn {
            name: column.name.clone(),
            quoted: column.quoted.clone(),
            is_bytes: column.base == "bytea",
            is_list,
            padding,
        });
    }
    Ok(sealed)
}

fn judge(column: &Column, is_written: bool, target: &Target, found: &mut Preflight) {
    let is_key = target.id.contains(&column.name);
    let concerns = [
        (!column.may_read || (is_written && !column.may_write), ConcernKind::NoRight),
        (is_written && column.generated, ConcernKind::Generated),
        (is_written && is_key, ConcernKind::KeyColumn),
        (is_written && column.in_partition_key, ConcernKind::PartitionKey),
    ];
    for (_, kind) in concerns.into_iter().filter(|(is_so, _)| *is_so) {
        found.add(Concern::of(kind).column(&column.name));
    }
}

/// Whether a token comes back from it as it went in.
fn holds_tokens(column: &Column, found: &mut Preflight) -> bool {
    let is_fit = matches!(&*column.base, "text" | "varchar" | "bytea" | "_text" | "_varchar");
    if !is_fit {
        found.add(Concern::of(ConcernKind::ColumnType).column(&column.name).detail(&column.shown));
    }
    if is_fit && !column.is_exact {
        found.add(Concern::of(ConcernKind::Collation).column(&column.name));
    }
    is_fit
}

async fn fits(
    db: &mut PgConnection,
    table: &Table,
    column: &Column,
    padding: Padding,
    flow: Flow,
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    if flow == Flow::Seal
        && let Some(length) = column.length.and_then(|length| usize::try_from(length).ok())
    {
        let value = longest(db, table, &column.quoted).await?;
        let needed = token_len(padding, value).text();
        if length < needed {
            let detail = format!("{}, and a value of {value} bytes makes a token of {needed}", column.shown);
            found.add(Concern::of(ConcernKind::TooShort).column(&column.name).detail(detail));
        }
    }
    if let Some(domain) = &column.domain
        && !domain_takes(db, domain, &sample(flow, padding, column.base == "bytea")).await?
    {
        found.add(Concern::of(ConcernKind::DomainCheck).column(&column.name).object(domain));
    }
    Ok(())
}

/// What looks like that which the job writes: a token that opens nowhere, or a word that may be plaintext anywhere.
fn sample(flow: Flow, padding: Padding, is_bytes: bool) -> String {
    let len = token_len(padding, 1);
    match (flow, is_bytes) {
        (Flow::Unseal, _) => "plaintext".to_owned(),
        // AF 1B 17: FORMAT 6.
        (_, true) => format!("\\xaf1b17{}", "00".repeat(len.bytes().saturating_sub(3))),
        (_, false) => "rxsX".chars().chain("aZ0-_9".chars().cycle()).take(len.text()).collect(),
    }
}

/// Whether the server takes this value in a column of this domain.
async fn domain_takes(db: &mut PgConnection, domain: &str, value: &str) -> Result<bool, sqlx::Error> {
    let mut attempt = db.begin().await?;
    let cast = AssertSqlSafe(format!("SELECT ($1::text::{domain}) IS NOT NULL"));
    let taken = query(cast).persistent(false).bind(value).execute(&mut *attempt).await;
    attempt.rollback().await?;
    match taken {
        Ok(_) => Ok(true),
        // Class 23 is a check, and 22 a value that the type does not take.
        Err(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| code.starts_with("23") || code.starts_with("22")) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
