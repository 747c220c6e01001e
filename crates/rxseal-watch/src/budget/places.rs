//! Openings in a keyspace for a purpose, whoever opens: they only alarm, since a thief's burst must not stop the others.

use std::sync::{Mutex, PoisonError};

use super::gcra::{Bucket, Cells};
use super::settings::Budgets;
use super::told::Told;

/// Those that have a rate. They are few.
pub(super) struct Places(Box<[Place]>);

struct Place {
    keyspace: Box<str>,
    purpose: &'static str,
    cells: Cells,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bucket: Bucket,
    told: Told,
}

impl Places {
    pub(super) fn of(budgets: &Budgets) -> Self {
        let place = |((keyspace, purpose), rate): (&(Box<str>, &'static str), &super::Rate)| Place {
            keyspace: keyspace.clone(),
            purpose,
            cells: rate.cells(),
            state: Mutex::default(),
        };
        Self(budgets.places.iter().map(place).collect())
    }

    /// Whether it is more than its rate and was not told in the last minute.
    pub(super) fn count(&self, keyspace: &str, purpose: &str, patients: u64, now: u64) -> bool {
        let found = self.0.iter().find(|place| *place.keyspace == *keyspace && place.purpose == purpose);
        let Some(Place { cells, state, .. }) = found else { return false };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.bucket.after(patients, *cells, now) {
            Ok(bucket) => {
                state.bucket = bucket;
                false
            }
            Err(_) => {
                state.bucket = Bucket::used_up(*cells, now);
                state.told.is_due(now)
            }
        }
    }
}
