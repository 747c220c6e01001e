//! Whether all of a job was done: judged by a count of the whole table, and not by the list of chunks alone.

use std::collections::BTreeMap;

use rxseal::KeyId;
use rxseal::count::KeyCounts;

use crate::progress::{Ended, Status};
use crate::spec::{Column, ColumnRole, Holds, Operation, Spec};

/// What the sealed columns of a table hold at one moment, all of them together.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) plaintext: u64,
    pub(crate) under: BTreeMap<KeyId, u64>,
    pub(crate) nulls: u64,
    /// Of these, the ones in columns whose fields seal an absence too.
    pub(crate) absent: u64,
}

/// The columns that a count reads.
pub(crate) fn counted(spec: &Spec) -> impl Iterator<Item = &Column> {
    spec.columns().iter().filter(|column| matches!(column.role(), ColumnRole::Sealed | ColumnRole::Tag))
}

impl Totals {
    /// Adds what one of them holds. A tag is under a key as well, but a record that is not sealed yet has none. `plain_lists` is how many cells
    /// of a column of lists or maps have plaintext in them.
    pub(crate) fn add(&mut self, column: &Column, counts: &KeyCounts, plain_lists: Option<u64>) {
        if column.role() == ColumnRole::Sealed {
            self.plaintext = self.plaintext.saturating_add(plain_lists.unwrap_or(counts.not_tokens()));
            self.nulls = self.nulls.saturating_add(counts.nulls());
            if column.holds() == Holds::OneAlways {
                self.absent = self.absent.saturating_add(counts.nulls());
            }
        }
        for (key, tokens) in counts.iter() {
            let under = self.under.entry(key).or_default();
            *under = under.saturating_add(tokens);
        }
    }
}

/// How much plaintext there was before these chunks were done, if nobody else wrote any.
pub(crate) fn at_start(plaintext: u64, status: &Status) -> u64 {
    plaintext.saturating_add(status.counts.sealed).saturating_sub(status.counts.unsealed)
}

/// What is left of a job. `status` is of the same moment as the totals, and `plain_at_start` is how much plaintext there was when it was planned.
pub(crate) fn judge(spec: &Spec, totals: Totals, status: &Status, plain_at_start: u64) -> Ended {
    let Totals { plaintext, mut under, nulls, absent } = totals;
    let under_target = under.remove(&spec.target()).unwrap_or_default();
    let others = under.values().fold(0_u64, |sum, tokens| sum.saturating_add(*tokens));
    let may_be = plain_at_start.saturating_add(status.counts.unsealed).saturating_sub(status.counts.sealed);
    let seals = spec.operation() != Operation::Unseal;
    let plaintext_rose = seals && plaintext > may_be;
    let chunks_left = status.chunks.saturating_sub(status.chunks_done);
    let tokens = under_target.saturating_add(others);
    let mut left = Vec::new();
    let mut want = |count: u64, what: &str| {
        if count > 0 {
            left.push(format!("{count} {what}"));
        }
    };
    want(u64::from(chunks_left), "chunks are not done");
    want(status.faults, "faults are listed: `rxseal job faults` shows each row and why");
    match spec.operation() {
        Operation::Unseal => want(tokens, "tokens are left"),
        Operation::Reindex => {}
        Operation::Backfill | Operation::Reseal | Operation::AddSubject => {
            want(plaintext, "values are no tokens");
            if spec.operation() == Operation::Backfill {
                want(absent, "values are null in columns whose absent values are sealed too");
            }
            want(others, "tokens are under other keys than the one that the job seals with");
        }
    }
    if plaintext_rose {
        let more = plaintext.saturating_sub(may_be);
        left.push(format!("{more} values became plaintext while the job ran: find the program that writes them"));
    }
    let under_others = under.into_iter().map(|(key, tokens)| (key.to_string(), tokens)).collect();
    Ended { plaintext, under_target, under_others, nulls, faults: status.faults, chunks_left, plaintext_rose, left }
}
