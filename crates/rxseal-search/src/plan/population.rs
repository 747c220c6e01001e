//! The full table, as the sample foretells it.

use std::collections::BTreeMap;

use super::number::{float, nearest, share};

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
    /// estimate corrects the counts that many forms have. Chao's says how many forms are missing and how common each of them is. A form
    /// of a slot table was chosen before the sample was taken, so its own count is the best estimate.
    pub(super) fn grown(seen: &[Form], rows: u64) -> Self {
        let (chosen, found): (Vec<Form>, Vec<Form>) = seen.iter().partition(|form| form.slots > 1);
        let scale = share(rows, total(seen));
        let mut forms: Vec<_> = scaled(&chosen, |seen| float(u64::from(seen)) * scale).collect();
        grow(&found, float(total(&found)) * scale, &mut forms);
        Self::of(forms)
    }

    fn of(mut forms: Vec<Form>) -> Self {
        forms.sort_unstable_by(|a, b| b.rows.cmp(&a.rows).then(a.slots.cmp(&b.slots)));
        let rows = total(&forms);
        Self { forms, rows }
    }

    /// How many rows have the form of a row, on average over all rows.
    pub(super) fn alike(&self) -> f64 {
        let squares: f64 = self.forms.iter().map(|form| float(u64::from(form.rows)).powi(2)).sum();
        if self.rows == 0 { 0.0 } else { squares / float(self.rows) }
    }

    /// How many slots the form of a row has, on average over all rows, and at most.
    pub(super) fn slots(&self) -> (f64, u16) {
        let sum = self
            .forms
            .iter()
            .fold(0_u64, |sum, form| sum.saturating_add(u64::from(form.rows).saturating_mul(u64::from(form.slots))));
        (share(sum, self.rows), self.forms.iter().map(|form| form.slots).max().unwrap_or(0))
    }
}

/// Adds the forms of a table with `rows` rows, from a sample.
fn grow(seen: &[Form], rows: f64, forms: &mut Vec<Form>) {
    let sampled = total(seen);
    let with_count = with_count(seen);
    let [once, twice] = [1, 2].map(|count| with_count.get(&count).copied().unwrap_or(0));
    let expected = |seen: u32| turing(&with_count, seen);
    let sum: f64 = with_count.iter().map(|(seen, forms)| expected(*seen) * float(*forms)).sum();
    // The forms that were seen have this much of the table; what was seen once measures the rest.
    let known = rows * (1.0 - share(once, sampled));
    let scale = if sum > 0.0 { known / sum } else { 0.0 };
    let before = total(forms);
    forms.extend(scaled(seen, |seen| expected(seen) * scale));
    let placed = total(forms).saturating_sub(before);
    let rare = nearest(rows * 2.0 * share(twice, once.saturating_mul(sampled))).max(1);
    let missing = u64::from(nearest(rows)).saturating_sub(placed).checked_div(u64::from(rare)).unwrap_or(0);
    forms.extend((0..missing).map(|_| Form { rows: rare, slots: 1 }));
}

fn scaled(seen: &[Form], rows: impl Fn(u32) -> f64) -> impl Iterator<Item = Form> {
    seen.iter().map(move |form| Form { rows: nearest(rows(form.rows)), slots: form.slots }).filter(|form| form.rows > 0)
}

fn total(forms: &[Form]) -> u64 {
    forms.iter().map(|form| u64::from(form.rows)).sum()
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
    let sampled = total(seen);
    let shares = || seen.iter().map(|form| share(u64::from(form.rows), sampled)).filter(|share| *share > 0.0);
    let shannon = shares().map(|share| -share * share.log2()).sum();
    let most = shares().fold(0.0, f64::max);
    (shannon, if seen.is_empty() { 0.0 } else { -most.log2() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(counts: impl IntoIterator<Item = u32>) -> Vec<Form> {
        counts.into_iter().map(|rows| Form { rows, slots: 1 }).collect()
    }

    /// 1,000 forms of equal share, of which 1,000 rows have 632: 368 once, 184 twice and so on.
    #[test]
    fn a_flat_column_grows_flat() {
        let seen = [(1, 368), (2, 184), (3, 61), (4, 15), (5, 3), (6, 1)];
        let seen = forms(seen.into_iter().flat_map(|(count, forms)| std::iter::repeat_n(count, forms)));
        let grown = Population::grown(&seen, 100_000);
        assert!((900..1100).contains(&grown.forms.len()), "{}", grown.forms.len());
        assert!((95_000..=100_000).contains(&grown.rows), "{}", grown.rows);
        assert!((90.0..130.0).contains(&grown.alike()), "{}", grown.alike());
    }

    #[test]
    fn what_is_unique_stays_unique() {
        let grown = Population::grown(&forms(std::iter::repeat_n(1, 1000)), 100_000);
        assert_eq!((grown.forms.len(), grown.rows), (100_000, 100_000));
    }

    #[test]
    fn a_form_of_a_table_keeps_its_share() {
        let mut seen = forms(std::iter::repeat_n(1, 900));
        seen.push(Form { rows: 100, slots: 42 });
        assert_eq!(Population::grown(&seen, 10_000).forms.first(), Some(&Form { rows: 1000, slots: 42 }));
    }

    #[test]
    fn nothing_grows_from_nothing() {
        let grown = Population::grown(&[], 1000);
        assert_eq!((grown.rows, grown.alike(), entropy(&[])), (0, 0.0, (0.0, 0.0)));
        assert_eq!(entropy(&forms([4, 4])), (1.0, 1.0));
    }
}
