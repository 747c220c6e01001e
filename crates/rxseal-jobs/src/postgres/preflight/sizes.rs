//! How large the table is, and how large its rows will be.

use std::fmt::Write as _;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, query_as, query_scalar};

use super::columns::SealedColumn;
use super::table::{Table, row};
use crate::preflight::{Concern, ConcernKind, Estimate, Flow, Preflight, Sizes, Target};

/// Up to this many bytes the rows are counted. Beyond, the planner's estimate has to do.
const COUNTED: i64 = 64 << 20;
/// How many pages are sampled, about.
const SAMPLED: f64 = 200.0;
const PAGE: f64 = 8_192.0;

row! {
    struct Stored {
        /// Without what is stored apart (TOAST), and with it.
        heap: i64,
        table: i64,
        indexes: i64,
        index_count: i64,
        logs_pages: bool,
    }
}

const STORED: &str = "
SELECT coalesce(sum(pg_relation_size(c.oid)), 0)::bigint AS heap, coalesce(sum(pg_table_size(c.oid)), 0)::bigint AS table,
    coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint AS indexes,
    coalesce(max((SELECT count(*) FROM pg_index AS i WHERE i.indrelid = c.oid)), 0)::bigint AS index_count,
    current_setting('full_page_writes')::boolean AS logs_pages
FROM (SELECT $1::bigint::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::bigint::oid::regclass)) AS part
JOIN pg_class AS c ON c.oid = part.oid WHERE c.relkind = 'r'";

pub(super) async fn look(
    db: &mut PgConnection,
    table: &Table,
    target: &Target,
    columns: &[SealedColumn],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let stored: Stored = query_as(STORED).persistent(false).bind(table.oid).fetch_one(&mut *db).await?;
    let rows = if stored.heap <= COUNTED {
        let sql = format!("SELECT count(*) FROM {}", table.quoted);
        query_scalar::<_, i64>(AssertSqlSafe(sql)).persistent(false).fetch_one(&mut *db).await?
    } else {
        planned(db, table).await?
    };
    let (old_row, new_row) = widths(db, table, if target.flow == Flow::Seal { columns } else { &[] }, &stored).await?;
    // Rows that move to another page get a new entry in each index. So do all rows if a column with an index changes.
    if table.fill > 90 && stored.index_count > 1 && !table.is_partitioned() && target.flow != Flow::Move {
        let detail = format!("fillfactor {}, {} indexes", table.fill, stored.index_count);
        found.add(Concern::of(ConcernKind::FillFactor).detail(detail));
    }
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    found.measured(Estimate::of(&Sizes {
        rows: unsigned(rows),
        old_row,
        new_row,
        table: unsigned(stored.table),
        indexes: unsigned(stored.indexes),
        index_count: unsigned(stored.index_count),
        logs_pages: stored.logs_pages,
        in_place: false,
    }));
    Ok(())
}

/// What the planner thinks, which looks at the table's present size and at what ANALYZE found.
async fn planned(db: &mut PgConnection, table: &Table) -> Result<i64, sqlx::Error> {
    let sql = format!("EXPLAIN SELECT FROM {}", table.quoted);
    let plan: String = query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(db).await?;
    let rows = plan.split_once(" rows=").and_then(|(_, rest)| rest.split_once(' ')).map(|(rows, _)| rows);
    Ok(rows.and_then(|rows| rows.parse().ok()).unwrap_or(0))
}

/// The bytes of a row now and with its tokens, from a sample of pages.
async fn widths(
    db: &mut PgConnection,
    table: &Table,
    columns: &[SealedColumn],
    stored: &Stored,
) -> Result<(f64, f64), sqlx::Error> {
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a share of pages")]
    let pages = (stored.heap as f64 / PAGE).max(1.0);
    let percent = (100.0 * SAMPLED / pages).min(100.0);
    let mut more = String::from("0");
    for SealedColumn { quoted, is_bytes, padding, .. } in columns.iter().filter(|column| !column.is_list) {
        // FORMAT 6.3: 37 bytes around the payload, which is 2 bytes more than the value and padded to whole blocks.
        let block = padding.block.max(1);
        let token = format!("(37 + ceil((octet_length(s.{quoted}) + 2) / {block}.0) * {block})");
        let (begin, size) = if *is_bytes { ("\\xaf1b17", token) } else { ("rxs", format!("ceil({token} * 4 / 3)")) };
        let _ = write!(
            more,
            " + coalesce(CASE WHEN substring(s.{quoted} FROM 1 FOR 3) = '{begin}' THEN 0 ELSE {size} - octet_length(s.{quoted}) END, 0)"
        );
    }
    let sql = format!(
        "SELECT avg(pg_column_size(s.*))::float8, avg({more})::float8 FROM {} AS s TABLESAMPLE SYSTEM ({percent})",
        table.quoted
    );
    let (old, more): (Option<f64>, Option<f64>) = query_as(AssertSqlSafe(sql)).persistent(false).fetch_one(db).await?;
    let old = old.unwrap_or(0.0);
    Ok((old, old + more.unwrap_or(0.0)))
}
