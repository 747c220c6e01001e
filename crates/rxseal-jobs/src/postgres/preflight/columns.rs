//! Whether the columns hold what the job writes.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, FromRow, query_as, query_scalar};

use super::{Table, domain_takes};
use crate::preflight::{Concern, ConcernKind, Flow, Preflight, Target, token_len};

#[derive(FromRow)]
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
    not_null: bool,
    is_exact: bool,
    may_read: bool,
    may_write: bool,
    in_partition_key: bool,
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
    a.attgenerated <> '' AS generated, a.attnotnull AS not_null, coalesce(l.collisdeterministic, true) AS is_exact,
    has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS may_read,
    has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS may_write,
    EXISTS (SELECT FROM pg_partitioned_table AS p WHERE p.partrelid = a.attrelid AND (a.attnum = ANY (p.partattrs)
        OR EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = p.partrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.partrelid AND d.refobjsubid = a.attnum))) AS in_partition_key
FROM pg_attribute AS a JOIN base AS b ON b.attnum = a.attnum JOIN pg_type AS t ON t.oid = b.typ
    JOIN pg_type AS own ON own.oid = a.atttypid LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE a.attrelid = $1::bigint::oid";

/// Whether a row is found again by these columns: they are all of a unique index, and never null.
const KEY: &str = "
SELECT EXISTS (
    SELECT FROM pg_index AS i
    WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
    AND (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute AS a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]) AND a.attnotnull)
        = (SELECT array_agg(name ORDER BY name COLLATE \"C\") FROM unnest($2::text[]) AS name)
    AND i.indnkeyatts = cardinality($2::text[]))";

pub(super) async fn look(
    db: &mut PgConnection,
    table: &Table,
    target: &Target,
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let names = target.columns();
    let columns: Vec<Column> = query_as(COLUMNS).persistent(false).bind(table.oid).bind(&names).fetch_all(&mut *db).await?;
    let column = |name: &str| columns.iter().find(|column| column.name == name);
    for name in &names {
        match column(name) {
            None => found.add(Concern::of(ConcernKind::NoColumn).column(*name)),
            Some(column) => read_only_rules(column, target, found),
        }
    }
    let has_key: bool = query_scalar(KEY).persistent(false).bind(table.oid).bind(&target.id).fetch_one(&mut *db).await?;
    if !has_key {
        found.add(Concern::of(ConcernKind::NoKey).detail(target.id.join(", ")));
    }
    for written in &target.written {
        let Some(column) = column(&written.name) else { continue };
        if target.id.contains(&column.name) {
            found.add(Concern::of(ConcernKind::KeyColumn).column(&column.name));
        }
        if column.in_partition_key {
            found.add(Concern::of(ConcernKind::PartitionKey).column(&column.name));
        }
        if let Some(block) = written.block {
            if !holds_tokens(column, found) {
                continue;
            }
            fits(db, table, column, block, target.flow, found).await?;
        }
    }
    Ok(())
}

fn read_only_rules(column: &Column, target: &Target, found: &mut Preflight) {
    let is_written = target.written.iter().any(|written| written.name == column.name);
    if !column.may_read || (is_written && !column.may_write) {
        found.add(Concern::of(ConcernKind::NoRight).column(&column.name));
    }
    if is_written && column.generated {
        found.add(Concern::of(ConcernKind::Generated).column(&column.name));
    }
    if target.id.contains(&column.name) && !column.not_null {
        found.add(Concern::of(ConcernKind::NoKey).column(&column.name).detail("it may be NULL"));
    }
}

/// Whether a token comes back from it as it went in.
fn holds_tokens(column: &Column, found: &mut Preflight) -> bool {
    let is_fit = matches!(&*column.base, "text" | "varchar" | "bytea");
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
    block: u16,
    flow: Flow,
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    if flow == Flow::Seal
        && let Some(length) = column.length
        && column.may_read
        && !table.hides_rows
    {
        let longest = longest(db, table, column).await?;
        let (needed, _) = token_len(block, longest);
        if i64::from(length) < i64::try_from(needed).unwrap_or(i64::MAX) {
            let detail = format!("{}, and a value of {longest} bytes makes a token of {needed}", column.shown);
            found.add(Concern::of(ConcernKind::TooShort).column(&column.name).detail(detail));
        }
    }
    if let Some(domain) = &column.domain {
        let sample = match flow {
            // What the domain says of plaintext cannot be asked without one.
            Flow::Unseal => "plaintext".to_owned(),
            Flow::Seal | Flow::Move => sample(block, column.base == "bytea"),
        };
        if !domain_takes(db, domain, &sample).await? {
            found.add(Concern::of(ConcernKind::DomainCheck).column(&column.name).object(domain));
        }
    }
    Ok(())
}

/// Of the values that are no tokens yet, in bytes.
pub(super) async fn longest(db: &mut PgConnection, table: &Table, column: &impl Named) -> Result<usize, sqlx::Error> {
    let (table, name) = (&table.quoted, column.quoted());
    let sql = format!("SELECT coalesce(max(octet_length({name})), 0)::bigint FROM {table} WHERE left({name}, 3) <> 'rxs'");
    let longest: i64 = query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(db).await?;
    Ok(usize::try_from(longest).unwrap_or(0))
}

pub(super) trait Named {
    fn quoted(&self) -> &str;
}

impl Named for Column {
    fn quoted(&self) -> &str {
        &self.quoted
    }
}

/// What looks like the token of a short value, in the text form of its type. It opens nowhere.
fn sample(block: u16, is_bytes: bool) -> String {
    let (text, bytes) = token_len(block, 1);
    if is_bytes {
        // AF 1B 17: FORMAT 6.
        return format!("\\xaf1b17{}", "00".repeat(bytes.saturating_sub(3)));
    }
    format!("rxsX{}", "A".repeat(text.saturating_sub(4)))
}
