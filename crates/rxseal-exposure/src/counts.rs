//! How many patients are in each state.

use crate::state::State;

#[derive(Clone, Copy, Default)]
pub(crate) struct Counts([u64; State::ALL.len()]);

impl Counts {
    pub(crate) fn add(&mut self, state: State, patients: u64) {
        for (known, count) in State::ALL.iter().zip(&mut self.0) {
            if *known == state {
                *count = count.saturating_add(patients);
            }
        }
    }

    pub(crate) fn add_all(&mut self, others: &Self) {
        State::ALL.iter().zip(others.0).for_each(|(state, count)| self.add(*state, count));
    }

    pub(crate) fn of(&self, state: State) -> u64 {
        State::ALL.iter().zip(&self.0).find(|(known, _)| **known == state).map_or(0, |(_, count)| *count)
    }

    pub(crate) fn as_list(&self) -> Vec<(State, u64)> {
        State::ALL.iter().copied().zip(self.0).collect()
    }
}
