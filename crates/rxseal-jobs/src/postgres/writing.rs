//! Writing rows that are still as they were read, and finding out which were not.

use std::collections::HashMap;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Connection, Row as _};

use super::reading::{read_again, several_rows};
use super::table::{Held, Table};
use super::trouble::Trouble;
use crate::fault::Reason;
use crate::row::{Change, NewCell};

/// A row that is to be written.
pub(super) struct Pending {
    pub(super) key: Vec<String>,
    pub(super) version: String,
    pub(super) change: Change,
}

/// Rows that are to be written, and the parameters that say so.
pub(super) struct Batch {
    rows: Vec<Pending>,
    parameters: PgArguments,
}

/// What became of rows.
#[derive(Default)]
pub(super) struct Written {
    pub(super) done: Vec<Change>,
    /// The keys of those that another program changed or holds.
    pub(super) lost: Vec<Vec<String>>,
    pub(super) refused: Vec<(Vec<String>, Reason)>,
}

/// How often a batch may find rows locked that were free a moment before.
const LOCKED_OFTEN: usize = 5;

/// Writes rows, all cells of a row or none.
pub(super) async fn write(db: &mut PgConnection, table: &Table, batch: Batch) -> Result<Written, Trouble> {
    let mut written = Written::default();
    let mut locked = 0_usize;
    let mut batches = vec![batch];
    while let Some(Batch { rows, parameters }) = batches.pop() {
        if rows.is_empty() {
            continue;
        }
        // Undone if the database refuses one of the rows, or a trigger changes it.
        let mut attempt = db.begin().await?;
        match update(&mut attempt, table, parameters).await {
            Ok(answers) if answers.values().all(|is_same| *is_same) => {
                attempt.commit().await?;
                for (at, row) in rows.into_iter().enumerate() {
                    if answers.contains_key(&at) {
                        written.done.push(row.change);
                    } else {
                        written.lost.push(row.key);
                    }
                }
            }
            Ok(answers) => {
                attempt.rollback().await?;
                let (rewritten, others) = parted(rows, |at| answers.get(&at) == Some(&false));
                written.refused.extend(rewritten.into_iter().map(|row| (row.key, Reason::Rewritten)));
                batches.push(Batch::of(table, others)?);
            }
            Err(trouble) if trouble.is_lock() => {
                attempt.rollback().await?;
                locked = locked.saturating_add(1);
                let keys: Vec<_> = rows.iter().map(|row| row.key.as_slice()).collect();
                let free = if locked < LOCKED_OFTEN { read_again(db, table, &keys, true).await? } else { Vec::new() };
                let free: HashMap<_, _> = free.into_iter().collect();
                let (free, held) = parted(rows, |at| free.contains_key(&at));
                written.lost.extend(held.into_iter().map(|row| row.key));
                batches.push(Batch::of(table, free)?);
            }
            Err(trouble) if trouble.is_refusal() => {
                attempt.rollback().await?;
                let half = rows.len() / 2;
                if half == 0 {
                    written.refused.extend(rows.into_iter().map(|row| (row.key, Reason::RefusedByDatabase)));
                } else {
                    let (one, other) = parted(rows, |at| at < half);
                    batches.extend([Batch::of(table, one)?, Batch::of(table, other)?]);
                }
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(written)
}

/// The rows of which this is true, and the others.
fn parted(batch: Vec<Pending>, mut is_one: impl FnMut(usize) -> bool) -> (Vec<Pending>, Vec<Pending>) {
    let (ones, others): (Vec<_>, Vec<_>) = batch.into_iter().enumerate().partition(|(at, _)| is_one(*at));
    let rows = |numbered: Vec<(usize, Pending)>| numbered.into_iter().map(|(_, row)| row).collect();
    (rows(ones), rows(others))
}

/// The places of the rows that were written, and whether each is now as it was sent.
async fn update(
    db: &mut PgConnection,
    table: &Table,
    parameters: PgArguments,
) -> Result<HashMap<usize, bool>, Trouble> {
    let query = sqlx::query_with(AssertSqlSafe(table.update()), parameters).persistent(false);
    let mut answers = HashMap::new();
    for row in query.fetch_all(&mut *db).await? {
        let at: i32 = row.try_get(0)?;
        if answers.insert(usize::try_from(at).unwrap_or_default(), row.try_get(1)?).is_some() {
            return Err(several_rows().into());
        }
    }
    Ok(answers)
}

impl Batch {
    pub(super) fn of(table: &Table, rows: Vec<Pending>) -> Result<Self, Trouble> {
        let parameters = parameters(table, &rows).map_err(sqlx::Error::Encode)?;
        Ok(Self { rows, parameters })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Those of the statement that updates: arrays of the rows' places, of each column of the key, of the versions, and of the new cells.
fn parameters(table: &Table, rows: &[Pending]) -> Result<PgArguments, BoxDynError> {
    let mut parameters = PgArguments::default();
    parameters.add((0..).take(rows.len()).collect::<Vec<i32>>())?;
    for at in 0..table.key.len() {
        parameters.add(rows.iter().map(|row| row.key.get(at).map_or("", String::as_str)).collect::<Vec<_>>())?;
    }
    parameters.add(rows.iter().map(|row| row.version.as_str()).collect::<Vec<_>>())?;
    for (at, column) in table.written() {
        let cells: Vec<_> = rows.iter().map(|row| cell(&row.change, at)).collect();
        parameters.add(cells.iter().map(Option::is_some).collect::<Vec<_>>())?;
        match column.held {
            Held::Bytes => parameters.add(cells.into_iter().map(bytes).collect::<Vec<_>>())?,
            Held::Text | Held::TextList => parameters.add(cells.into_iter().map(text).collect::<Vec<_>>())?,
        }
    }
    Ok(parameters)
}

fn cell(change: &Change, at: usize) -> Option<&NewCell> {
    change.cells.iter().find(|(column, _)| *column == at).map(|(_, cell)| cell)
}

fn text(cell: Option<&NewCell>) -> Option<&str> {
    match cell {
        Some(NewCell::Text(text)) => Some(text.as_str()),
        _ => None,
    }
}

fn bytes(cell: Option<&NewCell>) -> Option<&[u8]> {
    match cell {
        Some(NewCell::Bytes(bytes)) => Some(bytes.as_slice()),
        _ => None,
    }
}

/// Whether each new cell has the form of its column. Otherwise it would be written as NULL.
pub(super) fn fits(table: &Table, change: &Change) -> bool {
    change.cells.iter().all(|(at, cell)| match (table.columns.get(*at), cell) {
        (Some(column), _) if !column.is_written => false,
        (Some(_), NewCell::Null) => true,
        (Some(column), NewCell::Bytes(_)) => column.held == Held::Bytes,
        (Some(column), NewCell::Text(_)) => column.held != Held::Bytes,
        (None, _) => false,
    })
}
