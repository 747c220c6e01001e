//! One actor: what it has used, and the patients that it opened last.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::gcra::{Bucket, Cells};
use super::recent::Recent;
use super::settings::{Budget, Mode};
use super::told::Told;

/// How much of a budget an actor has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Less than half of a burst.
    Usual,
    /// More than half of a burst.
    Half,
    /// More than the budget allows.
    Over,
}

impl Level {
    pub(crate) fn text(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Half => Some("alarm"),
            Self::Over => Some("over"),
        }
    }
}

/// What a budget says of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is allowed.
    #[non_exhaustive]
    Allowed {
        /// How many patients were charged: those that the actor had not opened lately.
        charged: u64,
        /// How much is used now.
        level: Level,
        /// Whether somebody should hear of the level: at most once a minute.
        is_news: bool,
    },
    /// It is refused, and nothing was charged.
    #[non_exhaustive]
    Refused {
        /// When it is allowed, if nothing else is opened until then. `None` for more patients than the budget ever allows at once.
        retry_after: Option<Duration>,
        /// Whether somebody should hear of it: at most once a minute.
        is_news: bool,
    },
    /// The actor is frozen.
    Frozen,
}

pub(crate) struct Actor {
    name: Box<str>,
    budget: Budget,
    cells: [Cells; 2],
    glass: Cells,
    is_frozen: AtomicBool,
    level: AtomicU8,
    last_used: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    buckets: [Bucket; 2],
    glass: Bucket,
    recent: Recent,
    /// Of a page: the patients that are charged. Kept, so that the next page costs no allocation.
    new: Vec<u64>,
    /// When each level was told.
    told_half: Told,
    told_over: Told,
}

impl Actor {
    pub(super) fn new(name: &str, budget: Budget) -> Self {
        Self {
            name: name.into(),
            budget,
            cells: [budget.hour.cells(), budget.day.cells()],
            glass: budget.glass.cells(),
            is_frozen: AtomicBool::new(false),
            level: AtomicU8::new(0),
            last_used: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.is_frozen.load(Ordering::Relaxed)
    }

    pub(super) fn set_frozen(&self, is_frozen: bool) {
        self.is_frozen.store(is_frozen, Ordering::Relaxed);
    }

    pub(super) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    /// The level after the last charge.
    pub(crate) fn level(&self) -> Level {
        match self.level.load(Ordering::Relaxed) {
            0 => Level::Usual,
            1 => Level::Half,
            _ => Level::Over,
        }
    }

    /// Charges for patients by their hashes; for `None` as for one that was never opened. All or nothing: a patient counts as opened only if it was
    /// allowed, so one that was refused is no cheaper the next time.
    pub(crate) fn charge(&self, patients: impl Iterator<Item = Option<u64>>, now: u64) -> Verdict {
        if self.is_frozen() {
            return Verdict::Frozen;
        }
        self.last_used.store(now, Ordering::Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { buckets, recent, new, told_half, told_over, .. } = &mut *state;
        let mut unnamed = 0_u64;
        new.clear();
        for patient in patients {
            match patient {
                Some(patient) if recent.contains(patient) => {}
                Some(patient) => new.push(patient),
                None => unnamed = unnamed.saturating_add(1),
            }
        }
        if new.len() > 1 {
            new.sort_unstable();
            new.dedup();
        }
        let charged = u64::try_from(new.len()).unwrap_or(u64::MAX).saturating_add(unnamed);
        if charged == 0 {
            return Verdict::Allowed { charged, level: self.level(), is_news: false };
        }
        let [hour, day] = self.cells;
        let [in_hour, in_day] = *buckets;
        let after = (in_hour.after(charged, hour, now), in_day.after(charged, day, now));
        let is_denied = self.budget.mode == Mode::Deny;
        let level = match after {
            (Ok(in_hour), Ok(in_day)) => {
                *buckets = [in_hour, in_day];
                let is_half = in_hour.is_half_used(hour, now) || in_day.is_half_used(day, now);
                if is_half { Level::Half } else { Level::Usual }
            }
            _ if !is_denied => {
                *buckets =
                    [after.0.unwrap_or(Bucket::used_up(hour, now)), after.1.unwrap_or(Bucket::used_up(day, now))];
                Level::Over
            }
            _ => Level::Over,
        };
        self.level.store(number(level), Ordering::Relaxed);
        let is_news = match level {
            Level::Usual => false,
            Level::Half => told_half.is_due(now),
            Level::Over => told_over.is_due(now),
        };
        if level == Level::Over && is_denied {
            let never = charged > hour.burst.min(day.burst);
            let wait = after.0.err().max(after.1.err()).map(Duration::from_nanos);
            return Verdict::Refused { retry_after: wait.filter(|_| !never), is_news };
        }
        for patient in new.drain(..) {
            recent.insert(patient);
        }
        Verdict::Allowed { charged, level, is_news: is_news && self.budget.mode != Mode::Observe }
    }

    /// Charges for breaking the glass. On an error it is how long to wait.
    pub(crate) fn charge_glass(&self, now: u64) -> Result<(), Duration> {
        self.last_used.store(now, Ordering::Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.glass = state.glass.after(1, self.glass, now).map_err(Duration::from_nanos)?;
        Ok(())
    }
}

fn number(level: Level) -> u8 {
    match level {
        Level::Usual => 0,
        Level::Half => 1,
        Level::Over => 2,
    }
}
