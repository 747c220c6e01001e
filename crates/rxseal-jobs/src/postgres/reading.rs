//! Reading the rows of a chunk, part by part.

use std::collections::BTreeSet;

use rxseal::Error;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::statements::{PART_BYTES, PART_ROWS, Start};
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

/// Reads the rows that begin a range, or that follow a key in it.
pub(super) async fn read_part(
    db: &mut PgConnection,
    table: &Table,
    range: &Range<'_>,
    after: Option<&[String]>,
) -> Result<Part, Trouble> {
    let (start, from) = match (after, range.lo) {
        (Some(after), _) => (Start::After, after),
        (None, Some(lo)) => (Start::At, lo),
        (None, None) => (Start::Open, &[][..]),
    };
    let sql = table.read_part(start, range.hi.is_some());
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for text in from.iter().chain(range.hi.unwrap_or_default()) {
        query = query.bind(text);
    }
    if let Some((_, keyspace)) = &table.filter {
        query = query.bind(keyspace);
    }
    let mut read = query.fetch_all(&mut *db).await?;
    let bytes: i64 = match read.last() {
        Some(row) => row.try_get(table.width())?,
        None => 0,
    };
    // Another row would have been read too, since neither the rows nor the bytes are at their limit.
    let is_last = read.len() <= PART_ROWS && bytes <= PART_BYTES;
    read.truncate(PART_ROWS);
    let rows = read.into_iter().map(|row| Found::of(row, table)).collect::<Result<Vec<_>, _>>()?;
    Ok(Part { rows, is_last })
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

impl Found {
    fn of(row: PgRow, table: &Table) -> Result<Self, Trouble> {
        let key = (0..table.key.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
        Ok(Self { key, version: row.try_get(table.key.len())?, row })
    }

    /// The cells, as the work gets them.
    pub(super) fn cells(&self, table: &Table) -> Result<Row<'_>, Trouble> {
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
