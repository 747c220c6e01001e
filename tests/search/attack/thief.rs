//! A thief who has the column and no key.

use std::collections::HashMap;

use super::population::Names;

/// What shares he names: of all rows, and of those that have one of the 20 commonest names.
#[derive(Debug, Default)]
pub struct Named {
    pub rows: f64,
    pub commonest: f64,
}

/// Gives the commonest value the name that should be the commonest, and so on.
///
/// `column` has the value of each patient, and `patients` his name, which only the judge knows.
pub fn named(column: &[Vec<u8>], patients: &[u32], names: &Names, slots: impl Fn(&str) -> u16) -> Named {
    let mut rows_of: HashMap<&[u8], u32> = HashMap::new();
    for value in column {
        *rows_of.entry(value).or_default() += 1;
    }
    let mut observed: Vec<_> = rows_of.into_iter().collect();
    observed.sort_by(|(a, a_rows), (b, b_rows)| b_rows.cmp(a_rows).then(a.cmp(b)));
    let guesses: HashMap<_, _> = observed.iter().map(|(value, _)| *value).zip(expected(names, slots)).collect();
    let commonest = names.commonest(20);
    let right: Vec<_> =
        column.iter().zip(patients).filter(|(value, name)| guesses.get(value.as_slice()) == Some(name)).collect();
    let is_common = |name: &&u32| commonest.contains(name);
    let common = patients.iter().filter(is_common).count();
    Named {
        rows: right.len() as f64 / patients.len() as f64,
        commonest: right.iter().filter(|(_, name)| is_common(name)).count() as f64 / common as f64,
    }
}

/// The names as he expects them among the values: each as often as it has slots, the commonest value first.
fn expected(names: &Names, slots: impl Fn(&str) -> u16) -> impl Iterator<Item = u32> {
    let mut shares: Vec<_> = (0_u32..)
        .zip(names.shares())
        .flat_map(|(at, (name, share))| {
            let slots = slots(name);
            std::iter::repeat_n((at, share / f64::from(slots)), usize::from(slots))
        })
        .collect();
    shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    shares.into_iter().map(|(at, _)| at)
}
