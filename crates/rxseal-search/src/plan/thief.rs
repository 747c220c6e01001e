//! What somebody learns who steals a column of index values, and how many rows a search finds there: both by simulation, under several
//! random keys.

use super::dice::{Dice, value};
use super::number::{count, position, share};
use super::population::{Form, Population};

/// Under so many keys each index is tried.
pub(super) const KEYS: u64 = 20;
/// The commonest forms, whose holders are counted apart.
pub(super) const TOP: usize = 20;
/// Wider values are taken to be different: so few are equal by chance.
const WIDEST: u8 = 22;
/// A form nobody guessed.
const NOBODY: u32 = u32::MAX;

/// What was found, on average over the keys. Shares are of all rows.
#[derive(Default, Clone, Copy, Debug)]
pub(super) struct Findings {
    /// Of the rows: how many a thief names who knows how common each form is.
    pub(super) named: f64,
    /// Of the holders of the commonest forms: the same.
    pub(super) top_named: f64,
    /// What share of all rows those holders are.
    pub(super) top_share: f64,
    /// The share of rows that have the commonest value.
    pub(super) largest: f64,
    /// The share of rows whose value nobody else has.
    pub(super) alone: f64,
    pub(super) candidates: Candidates,
}

/// How many rows a search finds whose text is that of a random row.
#[derive(Default, Clone, Copy, Debug)]
pub(super) struct Candidates {
    pub(super) mean: f64,
    pub(super) median: f64,
    pub(super) p95: f64,
    pub(super) max: f64,
}

pub(super) fn findings(population: &Population, bits: u8, dice: &mut Dice) -> Findings {
    let expected = expected(&population.forms);
    let top: u64 = population.forms.iter().take(TOP).map(|form| u64::from(form.rows)).sum();
    let mut sum = Findings { top_share: share(top, population.rows), ..Findings::default() };
    let weight = 1.0 / super::number::float(KEYS);
    let mut column = Column::default();
    for _ in 0..KEYS {
        column.fill(population, bits, dice);
        let (named, top_named) = column.named(&expected);
        let candidates = column.candidates();
        sum.named += weight * share(named, population.rows);
        sum.top_named += weight * share(top_named, top);
        sum.largest += weight * share(u64::from(column.largest()), population.rows);
        sum.alone += weight * share(column.alone(), population.rows);
        sum.candidates.mean += weight * candidates.mean;
        sum.candidates.median += weight * candidates.median;
        sum.candidates.p95 += weight * candidates.p95;
        sum.candidates.max = sum.candidates.max.max(candidates.max);
    }
    sum
}

/// The forms as the thief expects them in the column, the commonest value first: each as often as it has slots.
fn expected(forms: &[Form]) -> Vec<u32> {
    let mut order: Vec<_> = (0_u32..).zip(forms).collect();
    // Rows for each slot, compared without dividing.
    order.sort_by(|(_, a), (_, b)| {
        let (left, right) = (u64::from(b.rows), u64::from(a.rows));
        left.saturating_mul(u64::from(a.slots)).cmp(&right.saturating_mul(u64::from(b.slots)))
    });
    order.into_iter().flat_map(|(at, form)| std::iter::repeat_n(at, usize::from(form.slots))).collect()
}

/// The rows of one form that have one value.
struct Pile {
    form: u32,
    value: u32,
    rows: u32,
}

/// A column of index values under one key.
#[derive(Default)]
pub(super) struct Column {
    key: u64,
    piles: Vec<Pile>,
    /// How many rows have each value.
    rows: Vec<u32>,
}

impl Column {
    pub(super) fn fill(&mut self, population: &Population, bits: u8, dice: &mut Dice) {
        let key = dice.roll();
        self.key = key;
        let mut parts = Vec::new();
        self.piles.clear();
        for (form, Form { rows, slots }) in (0_u32..).zip(&population.forms) {
            dice.split(*rows, *slots, &mut parts);
            for (slot, rows) in (0_u64..).zip(&parts) {
                let value = if bits <= WIDEST {
                    u32::try_from(value(key, u64::from(form), slot) >> (64_u8.saturating_sub(bits))).unwrap_or(0)
                } else {
                    u32::try_from(self.piles.len()).unwrap_or(u32::MAX)
                };
                self.piles.push(Pile { form, value, rows: *rows });
            }
        }
        let values = if bits <= WIDEST { 1_usize << bits } else { self.piles.len() };
        self.rows.clear();
        self.rows.resize(values, 0);
        for pile in &self.piles {
            if let Some(rows) = self.rows.get_mut(position(pile.value)) {
                *rows = rows.saturating_add(pile.rows);
            }
        }
    }

    pub(super) fn rows_of(&self, value: u32) -> u32 {
        self.rows.get(position(value)).copied().unwrap_or(0)
    }

    /// The value of each row, by ranges: up to which row, and the value.
    pub(super) fn ranges(&self) -> Vec<(u64, u32)> {
        let mut end: u64 = 0;
        let range = |pile: &Pile| {
            end = end.saturating_add(u64::from(pile.rows));
            (end, pile.value)
        };
        self.piles.iter().map(range).collect()
    }

    fn largest(&self) -> u32 {
        self.rows.iter().copied().max().unwrap_or(0)
    }

    fn alone(&self) -> u64 {
        count(self.rows.iter().filter(|rows| **rows == 1).count())
    }

    /// How many rows the thief names who gives the commonest value the form that should be the commonest, and so on; and how many of
    /// them are holders of the commonest forms.
    fn named(&self, expected: &[u32]) -> (u64, u64) {
        let mut order: Vec<_> = (0_u32..).zip(&self.rows).filter(|(_, rows)| **rows > 0).collect();
        // Values of as many rows come in any order.
        let lot = |at: u32| value(self.key, u64::from(at), u64::MAX);
        order.sort_unstable_by(|(at_a, a), (at_b, b)| b.cmp(a).then_with(|| lot(*at_a).cmp(&lot(*at_b))));
        let mut guesses = vec![NOBODY; self.rows.len()];
        for ((value, _), form) in order.iter().zip(expected) {
            if let Some(guess) = guesses.get_mut(position(*value)) {
                *guess = *form;
            }
        }
        let (mut named, mut top_named) = (0_u64, 0_u64);
        for pile in &self.piles {
            if guesses.get(position(pile.value)) == Some(&pile.form) {
                named = named.saturating_add(u64::from(pile.rows));
                if position(pile.form) < TOP {
                    top_named = top_named.saturating_add(u64::from(pile.rows));
                }
            }
        }
        (named, top_named)
    }

    fn candidates(&self) -> Candidates {
        let mut found: Vec<(u32, u32)> = Vec::new();
        for piles in self.piles.chunk_by(|a, b| a.form == b.form) {
            let mut values: Vec<_> = piles.iter().map(|pile| pile.value).collect();
            values.sort_unstable();
            values.dedup();
            let candidates = values.iter().fold(0_u32, |sum, value| sum.saturating_add(self.rows_of(*value)));
            found.push((candidates, piles.iter().fold(0, |sum, pile| pile.rows.saturating_add(sum))));
        }
        found.sort_unstable();
        let all: u64 = found.iter().map(|(_, rows)| u64::from(*rows)).sum();
        let sum = found.iter().fold(0_u64, |sum, (candidates, rows)| {
            sum.saturating_add(u64::from(*candidates).saturating_mul(u64::from(*rows)))
        });
        let at = |percent: u64| {
            let mut left = all.saturating_mul(percent).div_ceil(100);
            let reached = found.iter().find(|(_, rows)| {
                let here = u64::from(*rows);
                let reached = left <= here;
                left = left.saturating_sub(here);
                reached
            });
            f64::from(reached.map_or(0, |(candidates, _)| *candidates))
        };
        Candidates {
            mean: share(sum, all),
            median: at(50),
            p95: at(95),
            max: f64::from(found.last().map_or(0, |(candidates, _)| *candidates)),
        }
    }
}
