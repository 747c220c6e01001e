//! Reading the rows of a chunk, part by part.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use rxseal::Error;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::statements::Start;
use super::table::{Held, Table};
use super::trouble::Trouble;
use crate::row::{Cell, Row};
use crate::trouble::refused;

/// A row as it was read. Its cells stay in the driver's own memory.
pub(super) struct Found {
    pub(super) key: Vec<String>,
    pub(super) version: String,
    row: PgRow,
}

/// The rows that are next in a chunk.
pub(super) struct Part {
    pub(super) rows: Vec<Found>,
    pub(super) is_last: bool,
}

/// From which key to which.
pub(super) struct Range<'a> {
    pub(super) lo: Option<&'a [String]>,
    pub(super) hi: Option<&'a [String]>,
}

/// No part of a chunk has more rows.
const PART_ROWS: usize = 2_000;
/// When the cells of a part have so many bytes, it ends. So a worker's memory does not grow with the table's values.
const PART_BYTES: usize = 4 << 20;

/// How many rows to ask for. Where rows are long, the server would send more than a part has, and it would be for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask(usize);

impl Default for Ask {
    fn default() -> Self {
        Self(PART_ROWS)
    }
}

/// Reads the rows that begin a range, or that follow a key in it.
pub(super) async fn read_part(
    db: &mut PgConnection,
    table: &Table,
    range: &Range<'_>,
    after: Option<&[String]>,
    ask: &mut Ask,
) -> Result<Part, Trouble> {
    let (start, from) = match (after, range.lo) {
        (Some(after), _) => (Start::After, after),
        (None, Some(lo)) => (Start::At, lo),
        (None, None) => (Start::Open, &[][..]),
    };
    // One more than a part has, so that the last part is known as such.
    let sql = table.read_part(start, range.hi.is_some(), ask.0.saturating_add(1));
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for text in from.iter().chain(range.hi.unwrap_or_default()) {
        query = query.bind(text);
    }
    if let Some((_, keyspace)) = &table.filter {
        query = query.bind(keyspace);
    }
    let (mut rows, mut bytes, mut is_last) = (Vec::with_capacity(ask.0), 0_usize, true);
    // If it is dropped before its end, the driver reads over the rows that are left.
    let mut sent = query.fetch(&mut *db);
    while let Some(row) = sent.try_next().await? {
        if rows.len() == ask.0 || bytes > PART_BYTES {
            is_last = false;
            break;
        }
        bytes = bytes.saturating_add(len(&row, table)?);
        rows.push(Found::of(row, table)?);
    }
    drop(sent);
    // Twice as many as would have been enough, since the next ones may be shorter.
    ask.0 = if bytes > PART_BYTES { rows.len().saturating_mul(2) } else { ask.0.saturating_mul(2) }.min(PART_ROWS);
    Ok(Part { rows, is_last })
}

/// How many bytes the cells of a row have.
fn len(row: &PgRow, table: &Table) -> Result<usize, Trouble> {
    let first = table.key.len().saturating_add(1);
    let mut bytes = 0_usize;
    for at in first..table.width() {
        bytes = bytes.saturating_add(row.try_get_raw(at)?.as_bytes().map_or(0, <[u8]>::len));
    }
    Ok(bytes)
}

/// Reads rows again by their keys, each with its place in `keys`.
pub(super) async fn read_again(
    db: &mut PgConnection,
    table: &Table,
    keys: &[&[String]],
    locks: bool,
) -> Result<Vec<(usize, Found)>, Trouble> {
    let places: Vec<i32> = (0..).take(keys.len()).collect();
    let mut query = sqlx::query(AssertSqlSafe(table.read_again(locks))).persistent(false).bind(places);
    for at in 0..table.key.len() {
        let column: Vec<&str> = keys.iter().map(|key| key.get(at).map_or("", String::as_str)).collect();
        query = query.bind(column);
    }
    if let Some((_, keyspace)) = &table.filter {
        query = query.bind(keyspace);
    }
    let at = table.width();
    let mut seen = BTreeSet::new();
    let of = |row: PgRow| {
        let place: i32 = row.try_get(at)?;
        if !seen.insert(place) {
            return Err(several_rows().into());
        }
        Ok((usize::try_from(place).unwrap_or_default(), Found::of(row, table)?))
    };
    query.fetch_all(&mut *db).await?.into_iter().map(of).collect()
}

/// The table was changed while the job runs, since its key tells rows apart when a worker joins.
pub(super) fn several_rows() -> Error {
    refused(
        "two rows have the same key, so the job cannot tell them apart and wrote none of the chunk: make the key unique, and run the worker again",
    )
}

/// The cells of rows, as the work gets them.
pub(super) fn cells<'f>(found: &'f [Found], table: &Table) -> Result<Vec<Row<'f>>, Trouble> {
    found.iter().map(|found| found.cells(table)).collect()
}

impl Found {
    fn of(row: PgRow, table: &Table) -> Result<Self, Trouble> {
        let key = (0..table.key.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
        Ok(Self { key, version: row.try_get(table.key.len())?, row })
    }

    fn cells(&self, table: &Table) -> Result<Row<'_>, Trouble> {
        let first = table.key.len().saturating_add(1);
        let cell = |(column, at): (&super::table::TableColumn, usize)| {
            let null = Cell::Null(column.held.form());
            Ok(match column.held {
                Held::Bytes => self.row.try_get::<Option<&[u8]>, _>(at)?.map_or(null, Cell::Bytes),
                Held::Text | Held::TextList => self.row.try_get::<Option<&str>, _>(at)?.map_or(null, Cell::Text),
            })
        };
        Ok(Row::new(table.columns.iter().zip(first..).map(cell).collect::<Result<_, Trouble>>()?))
    }
}
