//! What budgets there are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rxseal::Purpose;
use sha2::{Digest, Sha256};

use super::actor_name::checked_actor;
use super::frozen::FrozenList;
use super::gcra::Cells;
use crate::error::WatchError;

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;
/// A burst that takes longer than this to be full again cannot be computed with for a century.
const LONGEST: u64 = u64::MAX / 8;

/// Patients in a time, and how many of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    patients: u64,
    period: u64,
    burst: u64,
    share: u64,
}

impl Rate {
    /// So many different patients an hour, and `burst` of them at once.
    #[must_use]
    pub const fn per_hour(patients: u64, burst: u64) -> Self {
        Self { patients, period: HOUR, burst, share: 1 }
    }

    /// So many different patients a day, and `burst` of them at once.
    #[must_use]
    pub const fn per_day(patients: u64, burst: u64) -> Self {
        Self { patients, period: DAY, burst, share: 1 }
    }

    pub(super) fn cells(self) -> Cells {
        let interval = self.period.checked_div(self.patients).unwrap_or(u64::MAX).saturating_mul(self.share);
        Cells { interval, burst: self.burst.checked_div(self.share).unwrap_or_default().max(1) }
    }

    fn is_good(self) -> bool {
        let Cells { interval, burst } = self.cells();
        self.patients > 0
            && self.burst > 0
            && self.share > 0
            && interval > 0
            && interval.saturating_mul(burst) < LONGEST
    }
}

/// What happens above a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The event says so, and nothing else happens.
    Observe,
    /// Somebody is told as well.
    Alarm,
    /// The opening is refused as well.
    Deny,
}

/// How many different patients one actor may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub(super) hour: Rate,
    pub(super) day: Rate,
    pub(super) glass: Rate,
    pub(super) mode: Mode,
}

impl Budget {
    /// By two rates, of which both must allow: one for the hour and one for the day. What is above is refused. The glass can be broken 50 times in
    /// an hour.
    #[must_use]
    pub const fn new(hour: Rate, day: Rate) -> Self {
        Self { hour, day, glass: Rate::per_hour(50, 50), mode: Mode::Deny }
    }

    /// What happens above it.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// How often the actor may break the glass. Above this it is refused, whatever the mode.
    #[must_use]
    pub const fn glass(self, glass: Rate) -> Self {
        Self { glass, ..self }
    }

    fn share(&mut self, processes: u64) {
        for rate in [&mut self.hour, &mut self.day, &mut self.glass] {
            rate.share = processes;
        }
    }

    fn is_good(&self) -> bool {
        [self.hour, self.day, self.glass].into_iter().all(Rate::is_good)
    }
}

/// The budgets of a program: by kind of actor, and for single actors.
///
/// They are counted in each process by itself: with four processes an actor has four times as much. Say `share(4)` to divide them.
///
/// ```
/// use rxseal_watch::Budgets;
/// use rxseal_watch::budget::{Budget, Rate};
///
/// let exports = Budget::new(Rate::per_hour(40_000, 20_000), Rate::per_day(120_000, 120_000));
/// let budgets = Budgets::pharmacy().actor("job:nightly-claims", exports)?.share(4);
/// # Ok::<(), rxseal_watch::WatchError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Budgets {
    pub(super) users: Budget,
    pub(super) services: Budget,
    pub(super) named: BTreeMap<Box<str>, Budget>,
    pub(super) places: BTreeMap<(Box<str>, &'static str), Rate>,
    pub(super) frozen: Option<FrozenList>,
}

impl Budgets {
    /// What fits a pharmacy: 2,000 patients an hour with 1,000 at once, and 12,000 a day with 10,000 at once, for each actor. What is above is
    /// refused, from the first day.
    ///
    /// A simulated desk that fills 60 prescriptions an hour, three times that at its peak, is never refused. A thief with a pharmacist's login is
    /// refused after 1,005 patients.
    #[must_use]
    pub fn pharmacy() -> Self {
        let budget = Budget::new(Rate::per_hour(2000, 1000), Rate::per_day(12_000, 10_000));
        Self::of_all(budget)
    }

    /// The same budget for each actor.
    #[must_use]
    pub fn of_all(budget: Budget) -> Self {
        Self { users: budget, services: budget, named: BTreeMap::new(), places: BTreeMap::new(), frozen: None }
    }

    /// Nobody is refused: events say who would have been. The glass can be broken 50 times in an hour all the same.
    #[must_use]
    pub fn observe_only() -> Self {
        let mut budgets = Self::pharmacy();
        for budget in [&mut budgets.users, &mut budgets.services] {
            *budget = budget.mode(Mode::Observe);
        }
        budgets
    }

    /// For each `user:` without a budget of its own.
    #[must_use]
    pub fn users(self, users: Budget) -> Self {
        Self { users, ..self }
    }

    /// For each `svc:` and `job:` without a budget of its own.
    #[must_use]
    pub fn services(self, services: Budget) -> Self {
        Self { services, ..self }
    }

    /// For this actor.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if it is not the name of an actor, such as `job:nightly-claims`.
    pub fn actor(mut self, actor: &str, budget: Budget) -> Result<Self, WatchError> {
        self.named.insert(checked_actor(actor)?.into(), budget);
        Ok(self)
    }

    /// Raises an alarm when more than this is opened in a keyspace for a purpose, by all actors together. Nobody is refused.
    #[must_use]
    pub fn alarm_above(mut self, keyspace: &str, purpose: Purpose, rate: Rate) -> Self {
        self.places.insert((keyspace.into(), purpose.as_str()), rate);
        self
    }

    /// Reads a list of frozen actors every 5 seconds: they are refused. `rxseal budget freeze` writes it, so a theft is stopped without a deployment.
    #[must_use]
    pub fn frozen_in(self, file: impl Into<PathBuf>) -> Self {
        Self { frozen: Some(FrozenList::at(file)), ..self }
    }

    /// Divides each budget by the number of processes that count by themselves.
    #[must_use]
    pub fn share(mut self, processes: u64) -> Self {
        self.users.share(processes);
        self.services.share(processes);
        self.named.values_mut().for_each(|budget| budget.share(processes));
        self.places.values_mut().for_each(|rate| rate.share = processes);
        self
    }

    pub(super) fn of(&self, actor: &str) -> Budget {
        let default = if actor.starts_with("user:") { &self.users } else { &self.services };
        *self.named.get(actor).unwrap_or(default)
    }

    pub(super) fn check(&self) -> Result<(), WatchError> {
        let budgets = [&self.users, &self.services].into_iter().chain(self.named.values());
        if budgets.into_iter().all(Budget::is_good) && self.places.values().copied().all(Rate::is_good) {
            return Ok(());
        }
        Err(WatchError::settings(
            "patients, burst and share of a rate are at least 1, and a burst is full again within a century",
        ))
    }

    /// The first 16 hex digits of a hash of all settings: a log says under which budgets it was written.
    pub(crate) fn digest(&self) -> String {
        let Self { users, services, named, places, frozen: _ } = self;
        let hash = Sha256::digest(format!("{users:?}{services:?}{named:?}{places:?}"));
        let first = hash.first_chunk().copied().unwrap_or_default();
        format!("{:016x}", u64::from_be_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_cannot_be_computed_with_are_refused() {
        let good = Rate::per_hour(1, 1);
        for bad in [Rate::per_hour(0, 1), Rate::per_hour(1, 0), Rate::per_day(u64::MAX, 1), Rate::per_day(1, u64::MAX)]
        {
            let budgets = Budgets::of_all(Budget::new(bad, good));
            assert_eq!(budgets.check().unwrap_err().code(), "invalid-settings", "{bad:?}");
        }
        assert!(Budgets::pharmacy().share(0).check().is_err());
        assert!(Budgets::pharmacy().share(1_000_000).check().is_ok());
        assert!(Budgets::pharmacy().actor("kim", Budget::new(good, good)).is_err());
        assert_ne!(Budgets::pharmacy().digest(), Budgets::observe_only().digest());
    }

    #[test]
    fn the_kind_of_an_actor_chooses_its_budget() {
        let own = Budget::new(Rate::per_hour(1, 1), Rate::per_day(1, 1));
        let other = own.mode(Mode::Alarm);
        let budgets = Budgets::pharmacy().users(own).actor("svc:labels", other).unwrap();
        assert_eq!((budgets.of("user:kim"), budgets.of("svc:labels")), (own, other));
        assert_eq!(budgets.of("job:x"), Budgets::pharmacy().services);
        assert_eq!(budgets.share(2).of("user:kim").hour.cells().burst, 1, "a share is never nothing");
    }
}
