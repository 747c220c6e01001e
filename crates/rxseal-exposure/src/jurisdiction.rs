//! In which state or jurisdiction each patient lives, if a column says it.

use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Jurisdictions {
    names: Vec<String>,
    /// By patient; 0 if nobody said it.
    of: Vec<u16>,
}

/// More names than there are states: the column has something else.
const MOST: usize = 1_000;
const OTHER: &str = "(other)";
const NONE: &str = "(not said)";

impl Jurisdictions {
    pub(crate) fn add(&mut self, patient: usize, name: &str) {
        let name = if name.len() > 64 { OTHER } else { name };
        let at = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            let name = if self.names.len() < MOST { name } else { OTHER };
            self.names.iter().position(|known| known == name).unwrap_or_else(|| {
                self.names.push(name.to_owned());
                self.names.len().saturating_sub(1)
            })
        });
        if self.of.len() <= patient {
            self.of.resize(patient.saturating_add(1), 0);
        }
        if let Some(of) = self.of.get_mut(patient) {
            *of = u16::try_from(at.saturating_add(1)).unwrap_or_default();
        }
    }

    /// The number of a patient's state or jurisdiction; 0 if nobody said it.
    pub(crate) fn of(&self, patient: usize) -> usize {
        self.of.get(patient).copied().map_or(0, usize::from)
    }

    /// The numbers of patients by these numbers, with names: the most first.
    pub(crate) fn named(&self, counts: &BTreeMap<usize, u64>) -> Vec<(String, u64)> {
        let name = |at: usize| at.checked_sub(1).and_then(|at| self.names.get(at)).map_or(NONE, String::as_str);
        let mut named: Vec<_> = counts.iter().map(|(at, count)| (name(*at).to_owned(), *count)).collect();
        named.sort_by(|(a, most), (b, more)| more.cmp(most).then_with(|| a.cmp(b)));
        named
    }
}
