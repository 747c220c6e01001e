//! In which state or jurisdiction each patient lives, if a column says it.

use std::collections::{BTreeMap, BTreeSet};

use rxseal_map::{ClearKind, Map, Place, Source};

use crate::error::ExposureError;

/// What the column says of each patient, by numbers of names. 0 is that it says nothing.
pub(crate) struct Jurisdictions {
    names: Vec<String>,
    by_name: BTreeMap<String, u16>,
    /// By patient.
    of: Vec<u16>,
    /// Of patients with several: each but the first. They count in all of them.
    more: BTreeSet<(usize, u16)>,
    /// Rows with something of a patient whom nobody knows.
    unnamed: BTreeMap<u16, u64>,
    /// Whether the column has more values than there are states.
    is_too_many: bool,
}

/// Patients by state or jurisdiction.
pub(crate) type Named = Vec<(String, u64)>;

/// All states with their territories, written in a few ways.
const MOST: usize = 200;
const LONGEST: usize = 64;
/// Instead of what cannot be the name of a state.
const OTHER: &str = "(other)";
const NONE: &str = "(not said)";

/// Refuses a column whose values are ids or names of patients, which no report may have, and one that says nothing.
pub(crate) fn check(map: &Map, column: &str) -> Result<(), ExposureError> {
    let is_it = |place: &Place| place.to_string() == column;
    let has_ids =
        |source: &Source| source.id().iter().chain(source.subject()).chain(source.keyspace().column()).any(is_it);
    let kinds: Vec<_> = map.sources().iter().flat_map(Source::clear).filter(|clear| is_it(clear.place())).collect();
    let wrong = if map.sources().iter().any(has_ids) {
        "it has ids, which no report may have"
    } else if kinds.is_empty() {
        "no source of the map has such a readable column"
    } else if kinds.iter().any(|clear| clear.kind() != ClearKind::Place) {
        "the map says that it tells something else than a place, and its values would be in the report"
    } else {
        return Ok(());
    };
    Err(ExposureError::usage(format!(
        "--jurisdiction {column:?}: {wrong}. Name the column that has the state, which the map has in `clear` as \"place\""
    )))
}

/// Whether it is a name that the column has.
pub(crate) fn is_name(name: &str) -> bool {
    ![OTHER, NONE].contains(&name)
}

impl Jurisdictions {
    pub(crate) fn new() -> Self {
        Self {
            names: vec![NONE.to_owned()],
            by_name: BTreeMap::new(),
            of: Vec::new(),
            more: BTreeSet::new(),
            unnamed: BTreeMap::new(),
            is_too_many: false,
        }
    }

    pub(crate) fn add(&mut self, patient: usize, name: &str) {
        let at = self.number(name);
        if self.of.len() <= patient {
            self.of.resize(patient.saturating_add(1), 0);
        }
        let Some(of) = self.of.get_mut(patient) else { return };
        if *of == 0 {
            *of = at;
        } else if *of != at {
            self.more.insert((patient, at));
        }
    }

    /// One more patient whom nobody knows.
    pub(crate) fn add_unnamed(&mut self, name: Option<&str>) {
        let at = name.map_or(0, |name| self.number(name));
        let rows = self.unnamed.entry(at).or_default();
        *rows = rows.saturating_add(1);
    }

    /// The numbers of a patient's states or jurisdictions.
    pub(crate) fn of(&self, patient: usize) -> impl Iterator<Item = u16> {
        let first = self.of.get(patient).copied().unwrap_or_default();
        let more = self.more.range((patient, 0)..=(patient, u16::MAX)).map(|(_, at)| *at);
        std::iter::once(first).chain(more)
    }

    /// Whether the column has too many values to be that of a state. None of them is shown then.
    pub(crate) fn is_too_many(&self) -> bool {
        self.is_too_many
    }

    /// Patients by state, the most first: those of these numbers, and those whom nobody knows.
    pub(crate) fn named(&self, counts: &BTreeMap<u16, u64>) -> Named {
        let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
        for (at, count) in counts.iter().chain(&self.unnamed) {
            let name = match self.names.get(usize::from(*at)) {
                Some(name) if !self.is_too_many || !is_name(name) => name,
                _ => OTHER,
            };
            let sum = by_name.entry(name).or_default();
            *sum = sum.saturating_add(*count);
        }
        let mut named: Vec<_> = by_name.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        named.sort_by(|(a, most), (b, more)| more.cmp(most).then_with(|| a.cmp(b)));
        named
    }

    /// ` tx ` is TX.
    fn number(&mut self, name: &str) -> u16 {
        let name = name.trim();
        let name = if name.len() > LONGEST { OTHER.to_owned() } else { name.to_uppercase() };
        if let Some(at) = self.by_name.get(&name) {
            return *at;
        }
        self.is_too_many |= self.names.len() > MOST;
        let next = u16::try_from(self.names.len()).ok().filter(|_| !self.is_too_many);
        // Which one is not shown any more.
        let Some(at) = next else { return u16::MAX };
        self.names.push(name.clone());
        self.by_name.insert(name, at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(of: &Jurisdictions, patients: usize) -> Named {
        let mut counts = BTreeMap::new();
        for at in (0..patients).flat_map(|patient| of.of(patient)) {
            *counts.entry(at).or_default() += 1;
        }
        of.named(&counts)
    }

    #[test]
    fn a_state_is_one_however_it_is_written() {
        let mut of = Jurisdictions::new();
        for (patient, name) in ["TX", " tx ", "Tx", "OH"].into_iter().enumerate() {
            of.add(patient, name);
        }
        // Who moved counts in both, and a row of nobody in its own.
        of.add(0, "tx");
        of.add(0, "OH");
        of.add_unnamed(Some("oh"));
        of.add_unnamed(None);
        let expected = [("OH", 3), ("TX", 3), (NONE, 2)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(counted(&of, 5), expected);
    }

    #[test]
    fn what_is_no_state_is_not_shown() {
        let mut of = Jurisdictions::new();
        of.add(0, &"x".repeat(LONGEST + 1));
        assert_eq!(counted(&of, 1), [(OTHER.to_owned(), 1)]);
        for patient in 0..=MOST {
            of.add(patient, &format!("Elm Street {patient}"));
        }
        assert!(of.is_too_many());
        let shown = counted(&of, MOST + 2);
        assert!(shown.iter().all(|(name, _)| !is_name(name)), "{shown:?}");
        assert_eq!(shown.iter().map(|(_, count)| count).sum::<u64>(), u64::try_from(MOST).unwrap() + 3);
    }
}
