//! The end of a report: each patient by the worst that is known, and the numbers of all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use super::investigation::{Investigation, Read};
use super::taken;
use crate::classes::Classes;
use crate::counts::Counts;
use crate::csv::csv_row;
use crate::database::other_tables;
use crate::day::rfc3339;
use crate::error::ExposureError;
use crate::log::{Facts, Openings};
use crate::model::{ClassPatients, Doubt, Exposure, Input, Totals};
use crate::patients::{BITS, Patient, overall};
use crate::reading::{Copy, Found, Unnamed};
use crate::rule::Held;
use crate::state::State;

/// Days from the discovery of a breach to the last day for letters: 45 CFR 164.404(b).
const DAYS_FOR_LETTERS: u32 = 60;

/// What holds for all patients, because something could not be read.
struct Floors {
    /// By class.
    all: Vec<State>,
    /// By class, of what was not found in anything that was taken.
    absent: Vec<State>,
    has_unknown_key: bool,
}

struct Counted {
    by_class: Vec<Counts>,
    worst: Counts,
    clear: u64,
    patients: u64,
    by_bit: Vec<u64>,
    by_jurisdiction: BTreeMap<u16, u64>,
}

impl Investigation<'_> {
    pub(super) fn end(
        mut self,
        classes: &Classes,
        read: &Read,
        openings: Openings,
        out: &mut impl Write,
    ) -> Result<Exposure, ExposureError> {
        self.doubt_keys(&read.found);
        let has_other_tables = self.doubt_tables();
        let floors = self.floors(classes, &read.found, &openings);
        let mut counted = count(classes, read, &floors);
        self.doubt_rows(&read.found);
        self.doubt_states(read);
        let of_taken = self.copies.iter().zip(&read.found).filter(|(copy, _)| copy.data != Held::NotTaken);
        of_taken.for_each(|(_, found)| counted.add_unnamed(&found.unnamed));
        counted.add_unnamed_openings(classes, openings.unnamed);
        let shown: Vec<_> = (0..classes.len()).filter(|class| counted.is_shown(classes, *class)).collect();
        self.write_patients(classes, read, &floors, &shown, out).map_err(ExposureError::not_written)?;

        let theft = self.theft;
        let by_state = counted.worst.as_list();
        let sum = |of: fn(State) -> bool| by_state.iter().filter(|(state, _)| of(*state)).map(|(_, count)| count).sum();
        let totals = Totals {
            patients: counted.patients,
            proven: sum(State::is_proven),
            at_most: sum(State::is_at_risk),
            clear: counted.clear,
            is_patients_at_least: openings.unnamed > 0 || has_other_tables || !read.found.iter().all(Found::is_whole),
            by_state,
        };
        let class_of = |class: &usize| ClassPatients {
            class: classes.name(*class).to_owned(),
            is_clear: classes.is_clear(*class),
            patients: counted.by_class.get(*class).copied().unwrap_or_default().as_list(),
        };
        let times = self.facts.as_ref().and_then(Facts::times);
        let begun = self.whose.iter().map(|whose| whose.window.0).chain(taken::times(theft)).min();
        let begun = begun.unwrap_or_else(|| theft.discovered.begins());
        let mitigation = self.facts.as_ref().map(|facts| facts.done_since(begun)).unwrap_or_default();
        Ok(Exposure {
            rxseal_exposure: 1,
            name: theft.name.clone().unwrap_or_else(|| theft.discovered.to_string()),
            tool: theft.tool.clone(),
            made: now(),
            by: theft.by.clone(),
            keyspaces: theft.keyspaces(),
            discovered: theft.discovered,
            deadline: theft.discovered.plus(DAYS_FOR_LETTERS),
            totals,
            classes: shown.iter().map(class_of).collect(),
            taken: self.taken(&read.found, &openings, &counted.by_bit),
            timeline: openings.timeline(&self.whose, times),
            audit: self.facts.as_ref().map(|facts| facts.cover(openings.into_viewed())),
            mitigation,
            states: theft.jurisdiction.as_ref().map(|_| read.jurisdictions.named(&counted.by_jurisdiction)),
            assumed: self.assumed,
            inputs: once(self.inputs),
            doubts: self.doubts,
        })
    }

    /// Keys that were said to be stolen and that nobody knows, and tokens under keys that nobody knows.
    fn doubt_keys(&mut self, found: &[Found]) {
        let tokens = self.tokens_by_key(found);
        for (key, stolen) in std::mem::take(&mut self.unseen_keys) {
            if !tokens.contains_key(&key) {
                self.has_unknown_key = true;
                let text = "no keyring, no log and no token has this key: look whether its id is right, and give the keyring file".to_owned();
                self.doubts.push(Doubt { code: "key-unknown", place: Some(stolen), count: None, text });
            }
        }
        let unknown: Vec<_> = tokens.iter().filter(|(key, _)| self.keys.held(**key) == Held::Unknown).collect();
        for (key, count) in unknown {
            let (code, text) = if self.keys.is_known(*key) {
                (
                    "key-undecided",
                    "tokens are under this key, which a keyring file had perhaps that was not given and that the thief could open: give the keyring files of all generations",
                )
            } else {
                (
                    "key-unknown",
                    "tokens are under a key that no keyring that was given and no log has: give the keyring file",
                )
            };
            let (place, text) = (Some(key.to_string()), text.to_owned());
            self.doubts.push(Doubt { code, place, count: Some(*count), text });
        }
    }

    /// Tables of stolen databases that nobody named. Answers whether there are some.
    fn doubt_tables(&mut self) -> bool {
        let taken = self.copies.iter().filter(|copy| copy.bits.is_some());
        let taken: Vec<_> = taken.map(|copy| (&copy.source, copy.of.as_str())).collect();
        let found = other_tables(&self.theft.map, &taken);
        let has_some = !found.is_empty();
        self.doubts.extend(found);
        has_some
    }

    fn doubt_states(&mut self, read: &Read) {
        if read.jurisdictions.is_too_many() {
            let text = "the column has more different values than there are states, so none is shown: name the column that has the state".to_owned();
            self.doubts.push(Doubt { code: "not-a-state", place: self.theft.jurisdiction.clone(), count: None, text });
        }
    }

    /// What could not be read or judged in the sources.
    fn doubt_rows(&mut self, found: &[Found]) {
        for (copy, found) in self.copies.iter().zip(found) {
            let name = copy.source.name();
            let mut doubt = |code, place: String, count: Option<u64>, text: &str| {
                self.doubts.push(Doubt { code, place: Some(place), count, text: text.to_owned() });
            };
            if let Some(why) = &found.not_whole {
                doubt("not-read", name.to_owned(), None, &format!("not all of it could be read: {why}"));
            }
            if found.unnamed.rows > 0 {
                let text = "rows do not say whose they are, or not readably, so each may be of one more patient";
                doubt("row-unnamed", name.to_owned(), Some(found.unnamed.rows), text);
            }
            if copy.data == Held::NotTaken {
                continue;
            }
            if found.index_root_unknown > 0 {
                let text = "values of an index are there, and it is not known whether the root of the index was taken: give the keyring files of all generations";
                doubt("index-root-unknown", name.to_owned(), Some(found.index_root_unknown), text);
            }
            if found.subject_key_unknown > 0 {
                let text = "tokens need the patient's own key too, and it is not known whether that was taken: add subject-keys:STORE, or state that none was";
                doubt("subject-key-unknown", name.to_owned(), Some(found.subject_key_unknown), text);
            }
            if found.mixes_keyspaces {
                let text = "rows do not say of which of its keyspaces they are, so two patients with one id count as one: name the column in `keyspace` of the map";
                doubt("keyspace-unknown", name.to_owned(), Some(found.rows), text);
            }
            let in_place = |place: &String| format!("{name}, {place}");
            for (place, count) in &found.damaged {
                doubt(
                    "token-damaged",
                    in_place(place),
                    Some(*count),
                    "they begin as tokens do, and were cut off or changed",
                );
            }
            for (place, count) in &found.odd {
                doubt(
                    "cut-or-whole",
                    in_place(place),
                    Some(*count),
                    "they are of a length that no whole token of the field has",
                );
            }
            for (place, count) in &found.undeclared {
                doubt(
                    "column-undeclared",
                    in_place(place),
                    Some(*count),
                    "the map does not say what this column has: add it to `sealed` or to `clear`",
                );
            }
        }
    }

    fn floors(&self, classes: &Classes, found: &[Found], openings: &Openings) -> Floors {
        let floor = if openings.unnamed > 0 { State::Undecided.min(self.floor) } else { self.floor };
        let by_class = |class: usize| if classes.is_clear(class) { State::NotTaken } else { floor };
        let mut all: Vec<_> = (0..classes.len()).map(by_class).collect();
        let mut absent = vec![State::NotTaken; classes.len()];
        for (copy, found) in self.copies.iter().zip(found) {
            // What was not read may be of any patient.
            let unread = if found.not_whole.is_some() { self.classes_of(classes, copy) } else { BTreeSet::new() };
            let unnamed = (0..classes.len()).filter(|class| found.unnamed.is_at_risk(*class));
            let floors = if copy.data == Held::NotTaken { &mut absent } else { &mut all };
            for class in unread.into_iter().chain(unnamed) {
                if let Some(floor) = floors.get_mut(class) {
                    *floor = State::Undecided.min(*floor);
                }
            }
        }
        Floors { all, absent, has_unknown_key: self.has_unknown_key }
    }

    /// What a source has, as the map says it.
    fn classes_of(&self, classes: &Classes, copy: &Copy) -> BTreeSet<usize> {
        let source = &copy.source;
        let sealed = source.sealed().iter().filter_map(|of| classes.of_field(&self.theft.schema, source, of.field()));
        let indexes = source.index().iter().filter_map(|of| classes.of_index(of.index()));
        let clear = source.columns().into_iter().filter_map(|column| classes.of_clear(source.clear_kind(column)?));
        sealed.chain(indexes).chain(clear).collect()
    }

    fn write_patients(
        &self,
        classes: &Classes,
        read: &Read,
        floors: &Floors,
        shown: &[usize],
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let mut out = BufWriter::new(out);
        let names = shown.iter().map(|class| classes.name(*class));
        out.write_all(
            csv_row(PATIENT.into_iter().chain(names).chain(["sources", "first", "last", "record"])).as_bytes(),
        )?;
        let keyspaces = self.theft.keyspaces();
        let only = keyspaces.first().map_or("", String::as_str);
        let stolen: Vec<_> = self.theft.stolen.iter().map(ToString::to_string).zip(&self.bits).collect();
        for (_, patient) in read.patients.iter() {
            let states = shown.iter().map(|class| floors.state(&patient, *class).as_str());
            let sources = stolen.iter().filter(|(_, bits)| patient.taken & **bits != 0).map(|(name, _)| name.as_str());
            let sources = sources.collect::<Vec<_>>().join("; ");
            let time = |at: u32| rfc3339(at.into());
            let (first, last) = patient.opened.map_or_else(Default::default, |(first, last)| (time(first), time(last)));
            let [sealed, clear] = overall(classes, |class| floors.state(&patient, class)).map(State::as_str);
            let whose = [patient.keyspace.unwrap_or(only), patient.id, sealed, clear];
            let of_row = [sources.as_str(), &first, &last, patient.record.unwrap_or_default()];
            out.write_all(csv_row(whose.into_iter().chain(states).chain(of_row)).as_bytes())?;
        }
        out.flush()
    }
}

/// What `patients.csv` says of a patient before each class.
const PATIENT: [&str; 4] = ["keyspace", "subject", "overall", "readable columns"];

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Two record types may be in one file.
fn once(inputs: Vec<Input>) -> Vec<Input> {
    let mut seen = BTreeSet::new();
    inputs.into_iter().filter(|input| seen.insert(input.name.clone())).collect()
}

impl Floors {
    /// What is said of a class of a patient.
    fn state(&self, patient: &Patient<'_>, class: usize) -> State {
        let of = |floors: &[State]| floors.get(class).copied().unwrap_or(State::Undecided);
        let found = match patient.states.get(class).copied().unwrap_or(State::Undecided) {
            State::Sealed if self.has_unknown_key => State::Undecided,
            State::NotTaken => of(&self.absent),
            state => state,
        };
        found.min(of(&self.all))
    }
}

fn count(classes: &Classes, read: &Read, floors: &Floors) -> Counted {
    let bits = usize::try_from(BITS).unwrap_or_default();
    let mut counted = Counted {
        by_class: vec![Counts::default(); classes.len()],
        worst: Counts::default(),
        clear: 0,
        patients: 0,
        by_bit: vec![0; bits],
        by_jurisdiction: BTreeMap::new(),
    };
    for (number, patient) in read.patients.iter() {
        let (mut worst, mut clear) = (State::NotTaken, State::NotTaken);
        for (class, counts) in counted.by_class.iter_mut().enumerate() {
            let state = floors.state(&patient, class);
            counts.add(state, 1);
            let known = if classes.is_in_totals(class) { &mut worst } else { &mut clear };
            *known = state.min(*known);
        }
        counted.worst.add(worst, 1);
        counted.patients = counted.patients.saturating_add(1);
        counted.clear = counted.clear.saturating_add(u64::from(clear.is_at_risk()));
        for (bit, count) in counted.by_bit.iter_mut().enumerate() {
            *count = count.saturating_add((patient.taken >> bit) & 1);
        }
        if worst.is_at_risk() || clear.is_at_risk() {
            for at in read.jurisdictions.of(number) {
                let of = counted.by_jurisdiction.entry(at).or_default();
                *of = of.saturating_add(1);
            }
        }
    }
    counted
}

impl Counted {
    /// A row that does not say whose it is counts as one more patient.
    fn add_unnamed(&mut self, unnamed: &Unnamed) {
        self.worst.add_all(&unnamed.worst);
        self.patients = self.patients.saturating_add(unnamed.rows);
        self.clear = self.clear.saturating_add(unnamed.clear);
        for (class, counts) in self.by_class.iter_mut().enumerate() {
            counts.add_all(&unnamed.of(class));
        }
    }

    /// And so does an opening of a record without an id.
    fn add_unnamed_openings(&mut self, classes: &Classes, openings: u64) {
        self.worst.add(State::Undecided, openings);
        self.patients = self.patients.saturating_add(openings);
        if openings > 0 {
            let nowhere = self.by_jurisdiction.entry(0).or_default();
            *nowhere = nowhere.saturating_add(openings);
        }
        for (class, counts) in self.by_class.iter_mut().enumerate() {
            counts.add(if classes.is_clear(class) { State::NotTaken } else { State::Undecided }, openings);
        }
    }

    /// Every class of sealed fields is, and kinds of readable columns of which something was taken.
    fn is_shown(&self, classes: &Classes, class: usize) -> bool {
        let not_taken = self.by_class.get(class).map_or(0, |counts| counts.of(State::NotTaken));
        !classes.is_clear(class) || not_taken < self.patients
    }
}
