//! Budgets: how many *different patients* an actor may open.
//!
//! A theft through a working login is a copy of everything. It needs patients that it has not opened yet, and a pharmacist at a busy desk opens the same
//! ones again and again. So a budget counts distinct patients: opening again one of the last few hundred is free.
//!
//! ```
//! use rxseal_watch::Budgets;
//! use rxseal_watch::budget::{Ledger, Verdict};
//! use std::time::Duration;
//!
//! // What the preset of a pharmacy does to a thief who opens a hundred patients a second.
//! let ledger = Ledger::new(Budgets::pharmacy())?;
//! let refused = (0..).find(|second| {
//!     let ids: Vec<_> = (0..100).map(|n| format!("pat-{second}-{n}")).collect();
//!     let verdict = ledger.open("user:kim.rph", ids.iter().map(String::as_str), Duration::from_secs(*second));
//!     !matches!(verdict, Verdict::Allowed { .. })
//! });
//! assert_eq!(refused, Some(10));
//! # Ok::<(), rxseal_watch::WatchError>(())
//! ```

mod actor;
mod actor_name;
mod frozen;
mod gcra;
mod places;
mod recent;
mod settings;
mod told;

pub use actor::{Level, Verdict};
pub use settings::{Budget, Budgets, Mode, Rate};

pub(crate) use actor::Actor;
pub(crate) use actor_name::checked_actor;
pub(crate) use frozen::Frozen;
pub use frozen::FrozenList;

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Kind, WatchError};
use places::Places;

/// The most actors that are told apart.
const MOST_ACTORS: usize = 10_000;
/// After this time without an opening, an actor is forgotten. Its buckets are full again by then.
const IDLE: u64 = 24 * 3600 * 1_000_000_000;
/// The actor that all others are, when there are too many.
const OTHERS: &str = "others";

/// What each actor has opened: it allows or refuses. A watch has one; make one of your own to try budgets out on what a log says.
pub struct Ledger {
    budgets: Budgets,
    /// Begun with random bytes of this process, so that nobody can choose patients that push others out of a table.
    hasher: DefaultHasher,
    actors: Mutex<HashMap<Box<str>, Arc<Actor>>>,
    others: Arc<Actor>,
    places: Places,
    frozen: Frozen,
}

impl Ledger {
    /// A ledger in which nobody has opened anything.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if a rate of `budgets` is zero or too large to compute with; `random-failed`.
    pub fn new(budgets: Budgets) -> Result<Self, WatchError> {
        budgets.check()?;
        let others = Arc::new(Actor::new(OTHERS, budgets.of("svc:")));
        let places = Places::of(&budgets);
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).map_err(|error| WatchError::from(Kind::Random).caused_by(error.to_string()))?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&seed);
        let (actors, frozen) = (Mutex::default(), Frozen::default());
        Ok(Self { budgets, hasher, actors, others, places, frozen })
    }

    /// Charges an actor for opening these patients, at a time since the ledger was made. All of them are allowed, or none.
    pub fn open<'p>(&self, actor: &str, patients: impl IntoIterator<Item = &'p str>, at: Duration) -> Verdict {
        let now = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let (actor, _) = self.actor(actor, now);
        let patients = patients.into_iter().map(|patient| Some(self.patient("", patient)));
        actor.charge(patients, now)
    }

    /// The actor of this name, and whether there are too many to tell it apart.
    pub(crate) fn actor(&self, name: &str, now: u64) -> (Arc<Actor>, bool) {
        let mut actors = self.actors();
        if let Some(actor) = actors.get(name) {
            return (Arc::clone(actor), false);
        }
        if actors.len() >= MOST_ACTORS {
            // One that an access still refers to stays, or its next opening would meet a fresh budget beside the old one.
            actors.retain(|_, actor| Arc::strong_count(actor) > 1 || now.saturating_sub(actor.last_used()) < IDLE);
        }
        if actors.len() >= MOST_ACTORS {
            return (Arc::clone(&self.others), true);
        }
        let actor = Arc::new(Actor::new(name, self.budgets.of(name)));
        actor.set_frozen(self.frozen.contains(name));
        actors.insert(name.into(), Arc::clone(&actor));
        (actor, false)
    }

    /// A patient of a keyspace, as the tables know it.
    pub(crate) fn patient(&self, keyspace: &str, id: &str) -> u64 {
        let mut hasher = self.hasher.clone();
        hasher.write(keyspace.as_bytes());
        hasher.write_u8(b' ');
        hasher.write(id.as_bytes());
        hasher.finish()
    }

    /// Counts patients that were opened in a keyspace for a purpose. Says whether they are unusually many, at most once a minute.
    pub(crate) fn count_in_place(&self, keyspace: &str, purpose: &str, patients: u64, now: u64) -> bool {
        self.places.count(keyspace, purpose, patients, now)
    }

    /// Reads the list of frozen actors again, if there is one. Gives who was frozen or unfrozen since.
    pub(crate) fn refreeze(&self) -> Result<Vec<(String, bool)>, String> {
        let Some(list) = &self.budgets.frozen else { return Ok(Vec::new()) };
        let changes = self.frozen.read(list)?;
        let actors = self.actors();
        for (name, is_frozen) in &changes {
            if let Some(actor) = actors.get(name.as_str()) {
                actor.set_frozen(*is_frozen);
            }
        }
        Ok(changes)
    }

    pub(crate) fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    fn actors(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Actor>>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("budgets", &self.budgets)
            .field("actors", &self.actors().len())
            .finish_non_exhaustive()
    }
}
