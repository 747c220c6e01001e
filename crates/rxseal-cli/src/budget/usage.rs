//! How many different patients were opened, as a log says it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::audit::events;
use crate::failure::Failure;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// One patient, seen by an actor: who, when in Unix milliseconds, and whom. Of a log of many millions only this is kept.
struct Seen {
    who: u32,
    /// Which of all it is: several may have one millisecond.
    place: u32,
    at: u64,
    patient: u64,
}

/// What actors opened, and what they were refused.
pub struct Usage {
    /// Actors, and then keyspaces with purposes.
    names: Vec<String>,
    seen: Vec<Seen>,
    pub refused: BTreeMap<String, u64>,
    pub first: Option<u64>,
    pub last: u64,
}

/// The most different patients of somebody, in one hour and in one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most {
    pub hour: u64,
    pub day: u64,
}

impl Usage {
    /// Of all events since a time. Breaking the glass has a budget of its own, and is left out.
    pub fn read(log: &Path, since: u64) -> Result<Self, Failure> {
        let mut usage = Self { names: Vec::new(), seen: Vec::new(), refused: BTreeMap::new(), first: None, last: 0 };
        let mut numbers = HashMap::new();
        events::each(log, None, |event| {
            if event.time() < since {
                return Ok(());
            }
            usage.first = Some(usage.first.map_or(event.time(), |first| first.min(event.time())));
            usage.last = usage.last.max(event.time());
            let (Some(actor), true) = (event.text("who"), event.kind() == "open") else { return Ok(()) };
            if event.text("out") == Some("over_budget") {
                let count = usage.refused.entry(actor.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
            if !event.is_seen() || event.text("btg").is_some() {
                return Ok(());
            }
            let keyspace = event.text("ks").unwrap_or_default();
            let place = format!("{keyspace} for {}", event.text("pou").unwrap_or_default());
            for who in [actor.to_owned(), place] {
                let next = usage.names.len();
                let number = *numbers.entry(who).or_insert_with_key(|who| {
                    usage.names.push(who.clone());
                    u32::try_from(next).unwrap_or(u32::MAX)
                });
                for patient in event.patients() {
                    let place = u32::try_from(usage.seen.len()).unwrap_or(u32::MAX);
                    let patient = hashed(keyspace, patient);
                    usage.seen.push(Seen { who: number, place, at: event.time(), patient });
                }
            }
            Ok(())
        })?;
        Ok(usage)
    }

    /// The days that the log covers.
    pub fn days(&self) -> u64 {
        self.first.map_or(0, |first| self.last.saturating_sub(first).div_ceil(DAY))
    }

    /// The most of each actor and place, in a clock hour and a day of UTC.
    pub fn most(&mut self) -> BTreeMap<String, Most> {
        let mut most: BTreeMap<String, Most> = self.names.iter().map(|name| (name.clone(), Most::default())).collect();
        for (period, is_day) in [(HOUR, false), (DAY, true)] {
            let slot = |seen: &Seen| (seen.who, seen.at.checked_div(period).unwrap_or_default());
            self.seen.sort_unstable_by_key(|seen| (slot(seen), seen.patient));
            for same in self.seen.chunk_by(|one, other| slot(one) == slot(other)) {
                let distinct = same.chunk_by(|one, other| one.patient == other.patient).count();
                let distinct = u64::try_from(distinct).unwrap_or(u64::MAX);
                let name = same.first().and_then(|seen| self.names.get(usize::try_from(seen.who).ok()?));
                if let Some(most) = name.and_then(|name| most.get_mut(name)) {
                    let place = if is_day { &mut most.day } else { &mut most.hour };
                    *place = (*place).max(distinct);
                }
            }
        }
        most
    }

    /// How many different patients each actor opened since a time.
    pub fn since(&mut self, time: u64) -> BTreeMap<String, u64> {
        self.seen.sort_unstable_by_key(|seen| (seen.who, seen.patient));
        let mut counts = BTreeMap::new();
        let late: Vec<_> = self.seen.iter().filter(|seen| seen.at >= time).collect();
        for same in late.chunk_by(|one, other| (one.who, one.patient) == (other.who, other.patient)) {
            let name = same.first().and_then(|seen| self.names.get(usize::try_from(seen.who).ok()?));
            if let Some(name) = name {
                let count: &mut u64 = counts.entry(name.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// What actors opened, in order of time: for a ledger. Of places nothing.
    pub fn replay(&mut self, mut open: impl FnMut(&str, u64, u64)) {
        self.seen.sort_unstable_by_key(|seen| (seen.at, seen.place));
        let first = self.first.unwrap_or_default();
        for seen in &self.seen {
            let name = self.names.get(usize::try_from(seen.who).unwrap_or(usize::MAX));
            if let Some(actor) = name.filter(|name| is_actor(name)) {
                open(actor, seen.patient, seen.at.saturating_sub(first));
            }
        }
    }
}

/// Whether it is an actor and no place: a keyspace has no colon.
pub fn is_actor(name: &str) -> bool {
    ["user:", "svc:", "job:"].iter().any(|kind| name.starts_with(kind))
}

/// Patients are told apart by it, within one run of the command.
fn hashed(keyspace: &str, patient: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (keyspace, patient).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(seen: &[(u32, u64, u64)]) -> Usage {
        let seen = seen.iter().zip(0..).map(|(&(who, at, patient), place)| Seen { who, place, at, patient });
        let seen: Vec<_> = seen.collect();
        let (first, last) = (seen.iter().map(|seen| seen.at).min(), seen.iter().map(|seen| seen.at).max().unwrap());
        let names = vec!["user:kim".to_owned(), "pharmacy-17 for TREAT".to_owned()];
        Usage { names, seen, refused: BTreeMap::new(), first, last }
    }

    #[test]
    fn patients_count_once_in_an_hour_and_once_in_a_day() {
        // Patients 1 and 2 in the first hour, 2 and 3 in the second, 1 on the next day; the place saw one of them.
        let mut usage =
            usage(&[(0, 0, 1), (0, 1, 2), (0, 2, 1), (0, HOUR, 2), (0, HOUR + 1, 3), (0, DAY, 1), (1, 1, 2)]);
        let most = usage.most();
        assert_eq!(most["user:kim"], Most { hour: 2, day: 3 });
        assert_eq!(most["pharmacy-17 for TREAT"], Most { hour: 1, day: 1 });
        assert_eq!(usage.since(HOUR)["user:kim"], 3);
        assert_eq!(usage.since(DAY), BTreeMap::from([("user:kim".to_owned(), 1)]));
        assert_eq!(usage.days(), 1);
        let mut order = Vec::new();
        usage.replay(|actor, patient, at| order.push((actor.to_owned(), patient, at)));
        assert_eq!(order.len(), 6, "of places nothing");
        assert!(order.is_sorted_by_key(|(_, _, at)| *at));
    }

    #[test]
    fn openings_of_one_millisecond_are_in_the_order_of_the_log() {
        let mut usage = usage(&[(0, 7, 3), (0, 7, 1), (0, 7, 2), (0, 6, 9)]);
        // Counting puts them into another order.
        usage.most();
        let mut order = Vec::new();
        usage.replay(|_, patient, _| order.push(patient));
        assert_eq!(order, [9, 3, 1, 2]);
    }
}
