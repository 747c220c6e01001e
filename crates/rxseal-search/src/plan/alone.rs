//! How many rows can be told apart from all others by the values of all indexes together.

use std::collections::HashMap;

use super::dice::{Dice, value};
use super::number::{count, float, position, share};
use super::population::Population;
use super::seen::Seen;
use super::thief::Column;

/// So many random rows stand for all.
const TRIED: u64 = 20_000;

/// One index of the table.
pub(super) struct Visible<'a> {
    pub(super) seen: &'a Seen,
    pub(super) population: &'a Population,
    pub(super) bits: u8,
}

/// The share of the sampled rows whose values nobody else has, if the sample is the whole table.
pub(super) fn counted(indexes: &[Visible<'_>], samples: u64, dice: &mut Dice) -> f64 {
    let mut rows = vec![0_u64; usize::try_from(samples).unwrap_or(0)];
    for index in indexes {
        let key = dice.roll();
        for (row, ids) in rows.iter_mut().zip(index.seen.records()) {
            let owner = dice.roll();
            let mut values: Vec<_> = ids.iter().map(|id| index.value(key, *id, owner)).collect();
            // As they are stored.
            values.sort_unstable();
            *row = values.iter().fold(value(*row, 1, 0), |row, stored| value(row, *stored, 1));
        }
    }
    let mut with_values: HashMap<u64, u32> = HashMap::with_capacity(rows.len());
    for row in rows {
        let rows = with_values.entry(row).or_default();
        *rows = rows.saturating_add(1);
    }
    share(count(with_values.values().filter(|rows| **rows == 1).count()), samples)
}

/// The same of a table that is larger than the sample, as if the columns had nothing to do with each other. That overstates it if they
/// have, such as a birth date and an index of name and birth date.
pub(super) fn estimated(indexes: &[Visible<'_>], samples: u64, rows: u32, dice: &mut Dice) -> f64 {
    let mut column = Column::default();
    // The share of rows that look like the row, for each row that is tried.
    let mut alike = vec![1.0; usize::try_from(TRIED).unwrap_or(0)];
    for index in indexes {
        column.fill(index.population, index.bits, dice);
        let ranges = column.ranges();
        let empty = share(samples.saturating_sub(with_value(index.seen)), samples);
        for alike in &mut alike {
            let has_none = float(dice.below(1 << 32)) < empty * float(1 << 32);
            *alike *= if has_none {
                empty
            } else {
                let row = dice.below(index.population.rows);
                let at = ranges.partition_point(|(end, _)| *end <= row);
                let value = ranges.get(at).map_or(0, |(_, value)| *value);
                (1.0 - empty) * share(u64::from(column.rows_of(value)), index.population.rows)
            };
        }
    }
    let others = float(u64::from(rows.saturating_sub(1)));
    alike.iter().map(|alike| (-alike * others).exp()).sum::<f64>() / float(TRIED)
}

fn with_value(seen: &Seen) -> u64 {
    count(seen.records().filter(|ids| !ids.is_empty()).count())
}

impl Visible<'_> {
    /// What a record whose owner has this number stores of a form.
    fn value(&self, key: u64, id: u32, owner: u64) -> u64 {
        let slots = self.seen.forms().get(position(id)).map_or(1, |form| form.slots);
        let slot = u64::try_from(u128::from(owner).wrapping_mul(u128::from(slots)) >> 64).unwrap_or(0);
        value(key, u64::from(id), slot) >> 64_u8.saturating_sub(self.bits)
    }
}
