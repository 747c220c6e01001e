//! Rows that do not say whose they are. Each may be of one more patient, and of any that is known.

use crate::classes::Classes;
use crate::counts::Counts;
use crate::state::State;

#[derive(Default)]
pub(crate) struct Unnamed {
    pub(crate) rows: u64,
    by_class: Vec<Counts>,
    /// By the worst state of any class.
    pub(crate) worst: Counts,
    /// With a value in a readable column.
    pub(crate) clear: u64,
}

impl Unnamed {
    /// A row with the states of its classes.
    pub(super) fn add(&mut self, classes: &Classes, states: &[(usize, State)]) {
        self.rows = self.rows.saturating_add(1);
        self.by_class.resize(classes.len(), Counts::default());
        let (mut worst, mut clear) = (State::NotTaken, State::NotTaken);
        for (class, counts) in self.by_class.iter_mut().enumerate() {
            let of_class = states.iter().filter(|(of, _)| *of == class).map(|(_, state)| *state);
            let state = of_class.min().map_or(State::NotTaken, |state| undecided(state, classes.is_clear(class)));
            counts.add(state, 1);
            let known = if classes.is_in_totals(class) { &mut worst } else { &mut clear };
            *known = state.min(*known);
        }
        self.worst.add(worst, 1);
        self.clear = self.clear.saturating_add(u64::from(clear.is_at_risk()));
    }

    /// How many rows are in which state of a class.
    pub(crate) fn of(&self, class: usize) -> Counts {
        self.by_class.get(class).copied().unwrap_or_default()
    }

    /// Whether a row has data of a class that may be readable, of a patient whom nobody knows.
    pub(crate) fn is_at_risk(&self, class: usize) -> bool {
        self.of(class).of(State::Undecided) > 0
    }
}

/// Of nobody in particular nothing is proven. What is readable as it is was taken all the same.
fn undecided(state: State, is_clear: bool) -> State {
    if state.is_at_risk() && !is_clear { State::Undecided } else { state }
}
