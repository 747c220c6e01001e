//! The full table, as the sample foretells it.

use std::collections::BTreeMap;

use super::number::{count, float, nearest, share};

/// One normal form: how many rows have it, and how many slots it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Form {
    pub(super) rows: u32,
    pub(super) slots: u16,
}

/// The forms of a whole table, the commonest first.
pub(super) struct Population {
    pub(super) forms: Vec<Form>,
    /// The rows of all forms. A record with several values counts once for each.
    pub(super) rows: u64,
}

impl Population {
    /// The table that `seen` is: a sample of everything.
    pub(super) fn seen(seen: &[Form]) -> Self {
        Self::of(seen.to_vec())
    }

    /// A table with `rows` rows, from a sample of fewer.
    ///
    /// A form that the sample has once is likelier to be rare than its count says, and the table has forms that the sample lacks. Turing's
    /// estimate corrects the counts that many forms have. Chao's says how many forms are missing and how common each of them is.
    pub(super) fn grown(seen: &[Form], rows: u64) -> Self {
        let sampled = seen.iter().map(|form| u64::from(form.rows)).sum();
        let with_count = with_count(seen);
        let once = with_count.get(&1).copied().unwrap_or(0);
        let twice = with_count.get(&2).copied().unwrap_or(0);
        let expected = |seen: u32| turing(&with_count, seen);
        let total: f64 = with_count.iter().map(|(seen, forms)| expected(*seen) * float(*forms)).sum();
        // The forms that were seen have this much of the table; what was seen once measures the rest.
        let known = 1.0 - share(once, sampled);
        let scale = if total > 0.0 { known * float(rows) / total } else { 0.0 };
        let mut forms: Vec<_> = seen
            .iter()
            .map(|form| Form { rows: nearest(expected(form.rows) * scale), slots: form.slots })
            .filter(|form| form.rows > 0)
            .collect();
        let placed: u64 = forms.iter().map(|form| u64::from(form.rows)).sum();
        let rare = float(rows) * 2.0 * share(twice, once.saturating_mul(sampled));
        let rare = nearest(rare).max(1);
        let missing = rows.saturating_sub(placed).checked_div(u64::from(rare)).unwrap_or(0);
        forms.extend((0..missing).map(|_| Form { rows: rare, slots: 1 }));
        Self::of(forms)
    }

    fn of(mut forms: Vec<Form>) -> Self {
        forms.sort_unstable_by(|a, b| b.rows.cmp(&a.rows).then(a.slots.cmp(&b.slots)));
        let rows = forms.iter().map(|form| u64::from(form.rows)).sum();
        Self { forms, rows }
    }

    /// How many rows have the form of a row, on average over all rows.
    pub(super) fn alike(&self) -> f64 {
        let squares: f64 = self.forms.iter().map(|form| float(u64::from(form.rows)).powi(2)).sum();
        if self.rows == 0 { 0.0 } else { squares / float(self.rows) }
    }

    /// How many slots the form of a row has, on average over all rows, and at most.
    pub(super) fn slots(&self) -> (f64, u16) {
        let sum = self.forms.iter().fold(0_u64, |sum, form| {
            sum.saturating_add(u64::from(form.rows).saturating_mul(u64::from(form.slots)))
        });
        (share(sum, self.rows), self.forms.iter().map(|form| form.slots).max().unwrap_or(0))
    }
}

/// Counts that fewer forms have are too few to correct by.
const ENOUGH_FORMS: u64 = 50;

/// How many forms the sample has once, twice and so on.
fn with_count(seen: &[Form]) -> BTreeMap<u32, u64> {
    let mut with_count = BTreeMap::new();
    for form in seen {
        let forms: &mut u64 = with_count.entry(form.rows).or_default();
        *forms = forms.saturating_add(1);
    }
    with_count
}

/// How often a form would be seen on average that was seen so often once.
fn turing(with_count: &BTreeMap<u32, u64>, seen: u32) -> f64 {
    let forms = |seen| with_count.get(&seen).copied().unwrap_or(0);
    let (now, next) = (forms(seen), forms(seen.saturating_add(1)));
    if now >= ENOUGH_FORMS && next >= ENOUGH_FORMS {
        (float(u64::from(seen)) + 1.0) * share(next, now)
    } else {
        float(u64::from(seen))
    }
}

/// The entropy of what was seen, in bits: Shannon's, and that of the commonest form alone.
pub(super) fn entropy(seen: &[Form]) -> (f64, f64) {
    let total: u64 = seen.iter().map(|form| u64::from(form.rows)).sum();
    let shares = || seen.iter().map(|form| share(u64::from(form.rows), total)).filter(|share| *share > 0.0);
    let shannon = shares().map(|share| -share * share.log2()).sum();
    let most = shares().fold(0.0, f64::max);
    (shannon, if count(seen.len()) == 0 { 0.0 } else { -most.log2() })
}
