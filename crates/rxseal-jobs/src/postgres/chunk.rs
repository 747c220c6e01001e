//! One chunk, in one transaction: it is taken, its rows are written, and it is ticked off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rxseal::Error;
use sqlx::postgres::PgConnection;

use super::approval::Purse;
use super::reading::{Ask, Found, Range, cells, read_again, read_part, several_rows};
use super::session;
use super::slice::{Worked, Working, begin, slices};
use super::table::Table;
use super::tables::{self, Taken};
use super::trouble::Trouble;
use super::writing::{Batch, write};
use crate::fault::{Fault, FieldFault, Reason};
use crate::key_text;
use crate::options::WorkerOptions;
use crate::progress::{ChunkDone, Counts, State};
use crate::row::ChunkWork;
use crate::spec::Spec;

/// What a worker works with.
pub(super) struct Bench<'a> {
    pub(super) job: &'a str,
    pub(super) spec: &'a Spec,
    pub(super) table: &'a Arc<Table>,
    pub(super) work: &'a Arc<dyn ChunkWork>,
    pub(super) options: &'a WorkerOptions,
}

/// How often a row is written that another program changes meanwhile.
const ATTEMPTS: u32 = 5;
/// Before a row is read for the third time. Twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(20);

/// Works on the next chunk. `None` if no chunk is left, or if the job does not run.
pub(super) async fn next(
    db: &mut PgConnection,
    bench: &Bench<'_>,
    mut purse: Option<&mut Purse>,
    ask: &mut Ask,
) -> Result<Option<ChunkDone>, Trouble> {
    let began = Instant::now();
    let WorkerOptions { statement_timeout, idle_timeout, .. } = *bench.options;
    let mut transaction = session::begin_chunk(db, statement_timeout, idle_timeout).await?;
    // Each time, since somebody may have paused the job, or planned another one of this name.
    let (state, pinned) = tables::job(&mut transaction, bench.job).await?;
    bench.spec.admit(&pinned)?;
    if state == State::Stopped {
        return Err(Error::job_stopped().into());
    }
    let taken = if state == State::Running { tables::take(&mut transaction, bench.job).await? } else { None };
    let Some(taken) = taken else {
        transaction.rollback().await?;
        return Ok(None);
    };
    if let Some(purse) = &mut purse {
        purse.begin(taken.no);
    }
    let mut tally = Tally { no: taken.no, purse, counts: Counts::default(), faults: Vec::new(), locked_since: None };
    run(&mut transaction, bench, &taken, &mut tally, ask).await?;
    if let Some(purse) = &tally.purse {
        purse.settle(&mut transaction).await?;
    }
    tables::put_faults(&mut transaction, bench.job, &tally.faults).await?;
    tables::tick_off(&mut transaction, bench.job, &bench.options.name, taken.no, &tally.counts).await?;
    transaction.commit().await?;
    let held = tally.locked_since.map_or(Duration::ZERO, |since| since.elapsed());
    Ok(Some(ChunkDone { no: taken.no, counts: tally.counts, took: began.elapsed(), held }))
}

/// What was done in a chunk.
struct Tally<'p> {
    no: u32,
    purse: Option<&'p mut Purse>,
    counts: Counts,
    faults: Vec<Fault>,
    locked_since: Option<Instant>,
}

impl Tally<'_> {
    fn skipped(&mut self) {
        self.counts.skipped = self.counts.skipped.saturating_add(1);
    }

    fn failed(&mut self, key: &[String], faults: impl IntoIterator<Item = FieldFault>) {
        self.counts.failed = self.counts.failed.saturating_add(1);
        let row_id = key_text::write(key);
        self.faults.extend(faults.into_iter().map(|fault| Fault::new(self.no, row_id.clone(), fault)));
    }

    fn failed_for(&mut self, key: &[String], reason: Reason) {
        self.failed(key, [FieldFault::new("", reason)]);
    }
}

async fn run(
    db: &mut PgConnection,
    bench: &Bench<'_>,
    taken: &Taken,
    tally: &mut Tally<'_>,
    ask: &mut Ask,
) -> Result<(), Trouble> {
    let bound =
        |text: &Option<String>| text.as_deref().map(|text| key_text::read(text, bench.table.key.len())).transpose();
    let (lo, hi) = (bound(&taken.lo)?, bound(&taken.hi)?);
    let range = Range { lo: lo.as_deref(), hi: hi.as_deref() };
    let mut after: Option<Vec<String>> = None;
    loop {
        let part = read_part(db, bench.table, &range, after.as_deref(), ask).await?;
        let Some(last) = part.rows.last() else { return Ok(()) };
        // They are in the order of the key.
        if part.rows.windows(2).any(|pair| matches!(pair, [one, next] if one.key == next.key)) {
            return Err(several_rows().into());
        }
        after = Some(last.key.clone());
        tally.counts.rows = tally.counts.rows.saturating_add(u64::try_from(part.rows.len()).unwrap_or(u64::MAX));
        charge(bench, &part.rows, tally).await?;
        let mut slices = slices(part.rows);
        let mut next = slices.next().map(|slice| begin(bench.work, bench.table, slice));
        while let Some(working) = next.take() {
            let batch = end(working, tally).await?;
            next = slices.next().map(|slice| begin(bench.work, bench.table, slice));
            write_all(db, bench, batch, tally).await?;
        }
        if part.is_last {
            return Ok(());
        }
    }
}

/// Charges what the work would open of these rows, before it begins.
async fn charge(bench: &Bench<'_>, found: &[Found], tally: &mut Tally<'_>) -> Result<(), Trouble> {
    let Some(purse) = &mut tally.purse else { return Ok(()) };
    purse.charge(bench.work.opens(&cells(found, bench.table)?)).await
}

/// What is to be written of rows, when the work on them has ended.
async fn end(working: Working, tally: &mut Tally<'_>) -> Result<Batch, Trouble> {
    let Worked { batch, same, faults } = working.end().await?;
    tally.counts.skipped = tally.counts.skipped.saturating_add(same);
    for (key, fields) in faults {
        tally.failed(&key, fields);
    }
    Ok(batch)
}

/// Writes rows. Those that another program changed are read again, and worked on as they are then.
async fn write_all(
    db: &mut PgConnection,
    bench: &Bench<'_>,
    mut batch: Batch,
    tally: &mut Tally<'_>,
) -> Result<(), Trouble> {
    let mut lost: Vec<Vec<String>> = Vec::new();
    for attempt in 1..=ATTEMPTS {
        if !batch.is_empty() {
            tally.locked_since.get_or_insert_with(Instant::now);
            let written = write(db, bench.table, batch).await?;
            for change in &written.done {
                let counts = &mut tally.counts;
                counts.written = counts.written.saturating_add(1);
                counts.sealed = counts.sealed.saturating_add(change.sealed);
                counts.unsealed = counts.unsealed.saturating_add(change.unsealed);
            }
            for (key, reason) in written.refused {
                tally.failed_for(&key, reason);
            }
            lost.extend(written.lost);
        }
        if lost.is_empty() || attempt == ATTEMPTS {
            break;
        }
        if attempt > 1 {
            tokio::time::sleep(PAUSE.saturating_mul(1 << attempt.min(8))).await;
        }
        tally.counts.retried = tally.counts.retried.saturating_add(u64::try_from(lost.len()).unwrap_or(u64::MAX));
        (batch, lost) = again(db, bench, lost, tally).await?;
    }
    for key in &lost {
        tally.failed_for(key, Reason::Busy);
    }
    Ok(())
}

/// Reads lost rows again and works on them. A row that is gone needs no work, and one that another program holds stays lost.
async fn again(
    db: &mut PgConnection,
    bench: &Bench<'_>,
    lost: Vec<Vec<String>>,
    tally: &mut Tally<'_>,
) -> Result<(Batch, Vec<Vec<String>>), Trouble> {
    let keys: Vec<_> = lost.iter().map(Vec::as_slice).collect();
    let free = read_again(db, bench.table, &keys, true).await?;
    // Only those that are neither free nor gone: what holds them may be a long transaction.
    let is_free: Vec<_> = free.iter().map(|(at, _)| *at).collect();
    let others: Vec<_> = keys.iter().enumerate().filter(|(at, _)| !is_free.contains(at)).map(|(_, key)| *key).collect();
    let held = if others.is_empty() { Vec::new() } else { read_again(db, bench.table, &others, false).await? };
    for _ in held.len()..others.len() {
        tally.skipped();
    }
    let held = held.into_iter().map(|(_, found)| found.key).collect();
    let free: Vec<_> = free.into_iter().map(|(_, found)| found).collect();
    charge(bench, &free, tally).await?;
    Ok((end(begin(bench.work, bench.table, free), tally).await?, held))
}
