//! Whether all of a job was done: judged by a count of the whole table, and not by the list of chunks alone.

use std::collections::BTreeMap;

use rxseal::count::{CountSql, KeyCounts};
use rxseal::{Error, KeyId};

use crate::progress::{Ended, Status};
use crate::row::{ChunkWork, Outcome, Row};
use crate::spec::{Column, ColumnRole, Operation, Spec};
use crate::trouble::refused;

/// What the sealed columns of a table hold at one moment, all of them together.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Values that are not a token as a whole.
    pub(crate) plaintext: u64,
    look_alikes: u64,
    under: BTreeMap<KeyId, u64>,
    nulls: u64,
    /// Of these, the ones of fields that seal the absence of a value too.
    unsealed_nulls: u64,
    /// Rows without a record tag.
    untagged: u64,
    pub(crate) others: OtherRows,
}

/// The rows that a job leaves alone because of their keyspace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OtherRows {
    /// Their column has no name of a keyspace.
    pub(crate) of_none: u64,
    /// They are of another one.
    pub(crate) of_others: u64,
}

impl OtherRows {
    /// Of what a statement of [`CountSql`] yields.
    pub(crate) fn of(rows: Vec<(String, i64)>, keyspace: &str) -> Self {
        let mut others = Self::default();
        for (name, rows) in rows.into_iter().filter(|(name, _)| name != keyspace) {
            let sum = if name == CountSql::NO_KEYSPACE { &mut others.of_none } else { &mut others.of_others };
            *sum = sum.saturating_add(u64::try_from(rows).unwrap_or_default());
        }
        others
    }
}

/// What the work found when it looked at each row once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The operation needs no more than a count.
    Count,
    /// It needs more, and nobody looked.
    Missing,
    /// So many rows are not as the job would leave them.
    Rows(u64),
}

impl Proof {
    /// What the count of an operation proves.
    pub(crate) fn by_count(operation: Operation) -> Self {
        // A token does not say whether its key is that of a subject too.
        if operation == Operation::AddSubject { Self::Missing } else { Self::Count }
    }
}

/// How many of these rows the work would not leave as they are.
pub(crate) async fn unfinished(work: &dyn ChunkWork, rows: &[Row<'_>]) -> Result<u64, Error> {
    let outcomes = work.run(rows).await?;
    if outcomes.len() != rows.len() {
        return Err(refused("the work did not give one outcome for each row"));
    }
    let left = outcomes.iter().filter(|outcome| **outcome != Outcome::Same).count();
    Ok(u64::try_from(left).unwrap_or(u64::MAX))
}

/// The columns that a count reads.
pub(crate) fn counted(spec: &Spec) -> impl Iterator<Item = &Column> {
    spec.columns().iter().filter(|column| matches!(column.role(), ColumnRole::Sealed | ColumnRole::Tag))
}

impl Totals {
    /// Adds what one of them holds. `plain_lists` is how many cells of a column of lists or maps have plaintext in them.
    pub(crate) fn add(&mut self, column: &Column, counts: &KeyCounts, plain_lists: Option<u64>) {
        let add = |sum: &mut u64, count: u64| *sum = sum.saturating_add(count);
        if column.role() == ColumnRole::Sealed {
            add(&mut self.plaintext, plain_lists.unwrap_or(counts.not_sealed()));
            add(&mut self.look_alikes, counts.look_alikes());
            add(&mut self.nulls, counts.nulls());
            add(&mut self.unsealed_nulls, if column.seals_null() { counts.nulls() } else { 0 });
        } else {
            add(&mut self.untagged, counts.nulls().saturating_add(counts.not_sealed()));
        }
        for (key, tokens) in counts.iter() {
            add(self.under.entry(key).or_default(), tokens);
        }
    }
}

/// How much plaintext there was before these chunks were done, if nobody else wrote any.
pub(crate) fn at_start(plaintext: u64, status: &Status) -> u64 {
    plaintext.saturating_add(status.counts.sealed).saturating_sub(status.counts.unsealed)
}

/// What is left of a job. `status` is of the same moment as the totals, and `plain_at_start` is how much plaintext there was when it was planned.
pub(crate) fn judge(spec: &Spec, totals: Totals, status: &Status, plain_at_start: u64, proof: Proof) -> Ended {
    let Totals { plaintext, look_alikes, mut under, nulls, unsealed_nulls, untagged, others } = totals;
    let under_target = under.remove(&spec.target()).unwrap_or_default();
    let under_others = under.values().fold(0_u64, |sum, tokens| sum.saturating_add(*tokens));
    let may_be = plain_at_start.saturating_add(status.counts.unsealed).saturating_sub(status.counts.sealed);
    let seals = spec.operation() != Operation::Unseal;
    let plaintext_rose = seals && plaintext > may_be;
    let chunks_left = status.chunks.saturating_sub(status.chunks_done);
    let tokens = under_target.saturating_add(under_others);
    let mut left = Vec::new();
    let mut want = |count: u64, what: &str| {
        if count > 0 {
            left.push(format!("{count} {what}"));
        }
    };
    want(u64::from(chunks_left), "chunks are not done");
    want(status.faults, "faults are listed: `rxseal job faults` shows each row and why");
    match spec.operation() {
        Operation::Unseal => {
            want(tokens, "tokens are left");
            want(
                look_alikes,
                "values begin as a token does and are not one: look at them, since nobody can tell whether they were opened",
            );
        }
        Operation::Reindex => {}
        Operation::Backfill | Operation::Reseal | Operation::AddSubject => {
            want(plaintext, "values are no tokens");
            want(under_others, "tokens are under other keys than the one that the job seals with");
            want(
                unsealed_nulls,
                "values are null in fields that seal the absence of a value too: a backfill seals these, unless somebody took a value away",
            );
            want(untagged, "rows have no record tag: a backfill makes it, unless somebody took it away");
        }
    }
    want(
        others.of_none,
        "rows name no keyspace, so no job works on them: docs/MIGRATION.md says how to find and mend them",
    );
    match proof {
        Proof::Missing => left.push(
            "a count does not see whether tokens need the key of their subject: finish the job with its work"
                .to_owned(),
        ),
        Proof::Rows(rows) if rows > 0 => left.push(format!("{rows} rows do not open with the key of their subject")),
        Proof::Count | Proof::Rows(_) => {}
    }
    if plaintext_rose {
        let more = plaintext.saturating_sub(may_be);
        left.push(format!("{more} values became plaintext while the job ran: find the program that writes them"));
    }
    let under_others = under.into_iter().map(|(key, tokens)| (key.to_string(), tokens)).collect();
    Ended {
        plaintext,
        look_alikes,
        under_target,
        under_others,
        nulls,
        rows_without_keyspace: others.of_none,
        rows_of_other_keyspaces: others.of_others,
        faults: status.faults,
        chunks_left,
        plaintext_rose,
        left,
    }
}
