//! Openings in a keyspace for a purpose, whoever opens: they only alarm, since a thief's burst must not stop the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::gcra::{Bucket, Cells};
use super::settings::Budgets;

const MINUTE: u64 = 60_000_000_000;

/// One bucket for each keyspace and purpose that has a rate.
pub(super) struct Places(HashMap<(Box<str>, &'static str), (Cells, Mutex<State>)>);

#[derive(Default)]
struct State {
    bucket: Bucket,
    told: Option<u64>,
}

impl Places {
    pub(super) fn of(budgets: &Budgets) -> Self {
        let places = budgets.places.iter();
        Self(places.map(|(place, rate)| (place.clone(), (rate.cells(), Mutex::default()))).collect())
    }

    /// Whether it is more than its rate and was not told in the last minute.
    pub(super) fn count(&self, keyspace: &str, purpose: &str, patients: u64, now: u64) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let found = self.0.iter().find(|((known, why), _)| **known == *keyspace && *why == purpose);
        let Some((_, (cells, state))) = found else { return false };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.bucket.after(patients, *cells, now) {
            Ok(bucket) => {
                state.bucket = bucket;
                false
            }
            Err(_) => {
                state.bucket = Bucket::used_up(*cells, now);
                let is_news = state.told.is_none_or(|told| now.saturating_sub(told) >= MINUTE);
                if is_news {
                    state.told = Some(now);
                }
                is_news
            }
        }
    }
}
