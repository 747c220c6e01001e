//! Slices of a part: one is worked on while the server writes the one before.

use std::panic::resume_unwind;
use std::sync::Arc;

use rxseal::Error;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::reading::{Found, cells};
use super::table::Table;
use super::trouble::Trouble;
use super::writing::{Batch, Pending, fits};
use crate::fault::{FieldFault, Reason};
use crate::row::{ChunkWork, Outcome};

/// Fewer, and the server would have to do more statements. More, and it would wait longer for the first ones.
const SLICE_ROWS: usize = 500;

/// What the work found of rows.
pub(super) struct Worked {
    pub(super) batch: Batch,
    pub(super) same: u64,
    pub(super) faults: Vec<(Vec<String>, Vec<FieldFault>)>,
}

/// Rows that are being worked on.
pub(super) struct Working(JoinHandle<Result<Worked, Trouble>>);

/// The rows of a part, in their order.
pub(super) fn slices<R>(mut rows: Vec<R>) -> impl Iterator<Item = Vec<R>> {
    std::iter::from_fn(move || {
        let rest = rows.split_off(rows.len().min(SLICE_ROWS));
        Some(std::mem::replace(&mut rows, rest)).filter(|slice| !slice.is_empty())
    })
}

/// Begins to work on rows, on a thread beside this one, which waits for the server. The rows, and all plaintext of the database with them, are
/// gone when it has ended.
pub(super) fn begin(work: &Arc<dyn ChunkWork>, table: &Arc<Table>, found: Vec<Found>) -> Working {
    let (work, table) = (Arc::clone(work), Arc::clone(table));
    Working(spawn_blocking(move || {
        let rows = cells(&found, &table)?;
        let outcomes = Handle::current().block_on(work.run(&rows))?;
        if outcomes.len() != rows.len() {
            return Err(Error::job_refused("the work did not give one outcome for each row").into());
        }
        drop(rows);
        let (mut pending, mut same, mut faults) = (Vec::with_capacity(outcomes.len()), 0_u64, Vec::new());
        for (Found { key, version, .. }, outcome) in found.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Same => same = same.saturating_add(1),
                Outcome::Write(change) if fits(&table, &change) => pending.push(Pending { key, version, change }),
                Outcome::Write(_) => faults.push((key, vec![FieldFault::new("", Reason::ColumnType)])),
                Outcome::Fault(fields) => faults.push((key, fields)),
            }
        }
        Ok(Worked { batch: Batch::of(&table, pending)?, same, faults })
    }))
}

impl Working {
    /// Waits until the work has ended.
    pub(super) async fn end(self) -> Result<Worked, Trouble> {
        match self.0.await.map_err(JoinError::try_into_panic) {
            Ok(worked) => worked,
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(Error::job_refused("the tokio runtime ends: run the worker again").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_have_all_rows_in_their_order() {
        for (rows, lengths) in
            [(0, vec![]), (1, vec![1]), (500, vec![500]), (501, vec![500, 1]), (1_700, vec![500, 500, 500, 200])]
        {
            let all: Vec<_> = (0..rows).collect();
            let slices: Vec<_> = slices(all.clone()).collect();
            assert_eq!(slices.iter().map(Vec::len).collect::<Vec<_>>(), lengths);
            assert_eq!(slices.concat(), all);
        }
    }
}
