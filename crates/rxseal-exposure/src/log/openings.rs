//! What was opened for a stolen login or on a stolen host.

use std::collections::{BTreeMap, BTreeSet};

use rxseal_watch::verify::Verdict;
use rxseal_watch::{ChainId, LoggedEvent, read_events};

use super::Log;
use super::chains::overlaps;
use super::facts::Facts;
use super::moment::Moment;
use crate::classes::Classes;
use crate::error::ExposureError;
use crate::model::{Timeline, Viewed};
use crate::patients::Patients;
use crate::state::State;
use crate::time::Window;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Days before the theft that are compared with it.
const BEFORE: u64 = 28;
/// The most steps of a timeline: two weeks.
const STEPS: usize = 14 * 24;

/// Whose openings are read.
pub(crate) struct Whose {
    pub(crate) name: String,
    pub(crate) is_host: bool,
    pub(crate) window: Window,
    /// The time that was said, if any.
    pub(crate) said: Option<Window>,
    /// The bit by which its patients are marked.
    pub(crate) bit: u64,
}

/// What was opened.
#[derive(Default)]
pub(crate) struct Openings {
    viewed: BTreeMap<ChainId, Viewed>,
    /// By stolen thing.
    pub(crate) events: Vec<u64>,
    /// Whether several patients were in one event, whose fields are counted together.
    pub(crate) has_pages: bool,
    /// Records without an id: nobody knows whose they are.
    pub(crate) unnamed: u64,
    /// Events that were in the time of the theft only if the clock of their machine was wrong, or if they waited for the log.
    pub(crate) perhaps_in_time: u64,
    /// By hour, of the first stolen login or host.
    hours: BTreeMap<u64, BTreeSet<usize>>,
    refused: BTreeMap<u64, u64>,
    frozen: Vec<u64>,
}

/// A page, whose lines are one behind the other.
struct Page {
    chain: ChainId,
    first: u64,
    at: u64,
    /// When it may have been.
    possible: Window,
    keyspace: Option<String>,
    classes: Vec<(String, u64)>,
    /// Each with its record type, if it is a record without a subject.
    patients: Vec<(Option<String>, String)>,
    unnamed: u64,
    lines: u64,
    of: Vec<usize>,
}

impl Openings {
    /// Reads them, and says of each patient what was opened.
    pub(crate) fn read(
        logs: &[Log],
        facts: &Facts,
        whose: &[Whose],
        classes: &Classes,
        has_keyspaces: bool,
        patients: &mut Patients,
    ) -> Result<Self, ExposureError> {
        let mut openings = Self { events: vec![0; whose.len()], ..Self::default() };
        if whose.is_empty() {
            return Ok(openings);
        }
        // In a log that somebody changed, an opening may be invented.
        let proven = if facts.verdict() == Verdict::Tampered { State::CouldBeRead } else { State::Readable };
        for log in logs {
            let (mut page, mut result) = (None::<Page>, Ok(()));
            let read = read_events(&log.folder, |event: LoggedEvent| {
                if result.is_err() {
                    return;
                }
                openings.hear(&event, whose);
                let continues = |page: &Page| page.chain == event.chain() && event.count("of") == Some(page.first);
                match page.as_mut().filter(|page| continues(page)) {
                    Some(page) => {
                        page.patients.extend(named(&event, classes));
                        page.unnamed = page.unnamed.saturating_add(unnamed(&event));
                        page.lines = page.lines.saturating_add(1);
                    }
                    None => {
                        let next = Page::of(&event, facts, whose, classes);
                        if let Some(page) = std::mem::replace(&mut page, next) {
                            result = openings.add(&page, whose, proven, classes, has_keyspaces, patients);
                        }
                    }
                }
            });
            result?;
            if let Some(page) = page {
                openings.add(&page, whose, proven, classes, has_keyspaces, patients)?;
            }
            // What could not be read is said by the facts of the log.
            drop(read);
        }
        Ok(openings)
    }

    fn hear(&mut self, event: &LoggedEvent, whose: &[Whose]) {
        let Some(first) = whose.first().filter(|first| !first.is_host) else { return };
        let at = event.time() / 1000;
        if event.text("who") != Some(&first.name) || event.kind() != "budget" && event.kind() != "open" {
            return;
        }
        match (event.text("what"), event.text("out")) {
            (Some("deny"), _) | (_, Some("over_budget")) => {
                let known = self.refused.entry(hour(at)).or_insert(at);
                *known = at.min(*known);
            }
            (Some("freeze"), _) => self.frozen.push(at),
            _ => {}
        }
    }

    fn add(
        &mut self,
        page: &Page,
        whose: &[Whose],
        proven: State,
        classes: &Classes,
        has_keyspaces: bool,
        patients: &mut Patients,
    ) -> Result<(), ExposureError> {
        let having = |has: &dyn Fn(&Whose) -> bool| -> Vec<usize> {
            page.of.iter().copied().filter(|at| whose.get(*at).is_some_and(has)).collect()
        };
        let in_time = having(&|of| overlaps(page.possible, of.window));
        let is_sure = !having(&|of| of.has(page.at)).is_empty();
        let distinct: BTreeSet<_> = page.patients.iter().collect();
        let len = u64::try_from(page.patients.len()).unwrap_or(u64::MAX);
        let keyspace = page.keyspace.as_deref().filter(|_| has_keyspaces);
        let mut numbers = BTreeSet::new();
        for (record, id) in &distinct {
            numbers.insert(patients.number(keyspace, record.as_deref(), id)?);
        }
        if page.of.contains(&0) {
            self.hours.entry(hour(page.at)).or_default().extend(&numbers);
        }
        if in_time.is_empty() {
            return Ok(());
        }
        self.has_pages |= distinct.len() > 1;
        self.unnamed = self.unnamed.saturating_add(page.unnamed);
        self.perhaps_in_time = self.perhaps_in_time.saturating_add(u64::from(!is_sure));
        for number in numbers {
            for (class, count) in &page.classes {
                // The fields of a page are counted together: with fewer than records, nobody knows of which records they were.
                let is_of_each = distinct.len() == 1 || *count >= len;
                let state = if is_sure && is_of_each { proven } else { State::CouldBeRead };
                if let Some(class) = classes.of_name(class) {
                    patients.add(number, class, state);
                }
            }
            patients.add_opened(number, page.at);
            for of in &in_time {
                patients.add_taken(number, whose.get(*of).map_or(0, |of| of.bit));
            }
        }
        for of in &in_time {
            if let Some(events) = self.events.get_mut(*of) {
                *events = events.saturating_add(1);
            }
        }
        let last = page.first.saturating_add(page.lines).saturating_sub(1);
        let new = || Viewed { chain: page.chain.to_string(), first: page.first, last, lines: 0 };
        let viewed = self.viewed.entry(page.chain).or_insert_with(new);
        (viewed.first, viewed.last) = (viewed.first.min(page.first), viewed.last.max(last));
        viewed.lines = viewed.lines.saturating_add(page.lines);
        Ok(())
    }

    pub(crate) fn into_viewed(self) -> Vec<Viewed> {
        self.viewed.into_values().collect()
    }

    /// What the first stolen login or host opened, hour by hour, from a day before the theft to a day after it.
    pub(crate) fn timeline(&self, whose: &[Whose], times: Option<Window>) -> Option<Timeline> {
        let of = whose.first()?;
        let (begin, end) = times?;
        let (from, to) = of.window;
        let first = hour(from.saturating_sub(DAY).max(begin));
        let last = to.saturating_add(DAY).min(end);
        let steps: Vec<u64> = (0..)
            .map(|step: u64| first.saturating_add(step.saturating_mul(HOUR)))
            .take_while(|at| *at <= last)
            .take(STEPS)
            .collect();
        let count =
            |at: u64| self.hours.get(&at).map_or(0, |patients| u64::try_from(patients.len()).unwrap_or(u64::MAX));
        let usual = |at: u64| {
            // The same hour of each day before the theft began.
            let days_into = at.saturating_sub(hour(from)).div_ceil(DAY);
            let before = (1..=BEFORE).map(|day| day.saturating_add(days_into).saturating_mul(DAY));
            let hours: Vec<_> =
                before.filter_map(|back| at.checked_sub(back)).filter(|at| *at >= begin && *at < from).collect();
            let counts = || hours.iter().map(|at| count(*at));
            Some((counts().min()?, counts().max()?))
        };
        Some(Timeline {
            of: of.name.clone(),
            from: first,
            step: HOUR,
            patients: steps.iter().map(|at| count(*at)).collect(),
            usual: steps.iter().map(|at| usual(*at)).collect(),
            stolen: of.said,
            refused: self.refused.values().copied().filter(|at| *at >= first && *at <= last).collect(),
            frozen: self.frozen.iter().copied().filter(|at| *at >= first && *at <= last).collect(),
        })
    }
}

impl Page {
    /// An opening that somebody may have seen, for one of them.
    fn of(event: &LoggedEvent, facts: &Facts, whose: &[Whose], kinds: &Classes) -> Option<Self> {
        if !event.is_seen() {
            return None;
        }
        let is_of = |of: &Whose| {
            if of.is_host {
                facts.chains().host(event.chain()) == Some(&of.name)
            } else {
                event.text("who") == Some(&of.name)
            }
        };
        let of: Vec<_> = whose.iter().enumerate().filter(|(_, of)| is_of(of)).map(|(at, _)| at).collect();
        let classes = event.json().get("cls").and_then(|classes| classes.as_object());
        let classes = classes.into_iter().flatten();
        (!of.is_empty()).then(|| Self {
            chain: event.chain(),
            first: event.number(),
            at: event.time() / 1000,
            possible: facts.chains().possible(event.chain(), Moment::of(event)),
            keyspace: event.text("ks").map(str::to_owned),
            classes: classes.map(|(class, count)| (class.clone(), count.as_u64().unwrap_or_default())).collect(),
            patients: named(event, kinds).collect(),
            unnamed: unnamed(event),
            lines: 1,
            of,
        })
    }
}

impl Whose {
    fn has(&self, at: u64) -> bool {
        self.window.0 <= at && at <= self.window.1
    }
}

/// The patients of an event: subjects, and records without one by their type and id.
pub(crate) fn named(event: &LoggedEvent, classes: &Classes) -> impl Iterator<Item = (Option<String>, String)> {
    // No record type is called so, and no subject is meant.
    let record_type = event.text("rt").map_or("?", |name| classes.record(name)).to_owned();
    event.records().filter_map(move |(record, subject)| match subject {
        Some(subject) => Some((None, subject.to_owned())),
        None => Some((Some(record_type.clone()), record?.to_owned())),
    })
}

/// Records without an id, or one if fields were opened and no record is named. A search without a hit shows nothing.
fn unnamed(event: &LoggedEvent) -> u64 {
    let none = event.records().filter(|(record, subject)| subject.or(*record).is_none());
    let is_bare = event.records().next().is_none() && event.json().get("find").is_none();
    let none = u64::try_from(none.count()).unwrap_or(u64::MAX);
    none.saturating_add(u64::from(is_bare && event.classes().next().is_some()))
}

fn hour(at: u64) -> u64 {
    at.saturating_sub(at.checked_rem(HOUR).unwrap_or_default())
}
