//! What is found out step by step: what was taken, which keys open it, what is in the sources and in the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rxseal::KeyId;
use rxseal_map::__private::said;
use rxseal_map::{At, ClearKind, Source};
use rxseal_watch::{LoggedEvent, read_events};

use super::Theft;
use crate::classes::Classes;
use crate::copies::{input, input_of_digest, taken};
use crate::error::ExposureError;
use crate::jurisdiction::Jurisdictions;
use crate::keys::{Keys, Ring};
use crate::log::{Facts, Openings, Whose, named};
use crate::model::{Assumed, Doubt, Input};
use crate::patients::{BITS, Patients};
use crate::reading::{Bits, Copy, Found, Known, read};
use crate::rule::Held;
use crate::state::State;
use crate::stolen::{Stolen, Thing};
use crate::time::{Window, shown};
use crate::unchanged::files;

/// What was found so far.
pub(super) struct Investigation<'t> {
    pub(super) theft: &'t Theft,
    pub(super) keys: Keys,
    pub(super) rings: Vec<Ring>,
    pub(super) facts: Option<Facts>,
    pub(super) whose: Vec<Whose>,
    /// The bits of each stolen thing, all parts of it together.
    pub(super) bits: Vec<u64>,
    pub(super) next_bit: u32,
    pub(super) doubts: Vec<Doubt>,
    pub(super) assumed: Vec<Assumed>,
    pub(super) inputs: Vec<Input>,
    /// What holds for every patient and every class, whatever was found of them.
    pub(super) floor: State,
    /// Whether the thief has a key that nobody can name.
    pub(super) has_unknown_key: bool,
    /// Whether the thief had the database rights of a host.
    pub(super) has_host: bool,
    /// Keys that were said to be stolen, which no keyring and no log has.
    pub(super) unseen_keys: Vec<(KeyId, String)>,
    pub(super) copies: Vec<Copy>,
    /// Whether the names of patients need their keyspace.
    pub(super) has_keyspaces: bool,
}

/// What all sources had.
pub(super) struct Read {
    pub(super) patients: Patients,
    pub(super) jurisdictions: Jurisdictions,
    /// By copy.
    pub(super) found: Vec<Found>,
}

impl<'t> Investigation<'t> {
    pub(super) fn new(theft: &'t Theft) -> Result<Self, ExposureError> {
        let mut this = Self {
            theft,
            keys: Keys::default(),
            rings: theft.rings.iter().map(|file| Ring { file: file.clone(), taken: None }).collect(),
            facts: Facts::read(&theft.logs),
            whose: Vec::new(),
            bits: Vec::new(),
            next_bit: 0,
            doubts: Vec::new(),
            assumed: theft.assumed.clone(),
            inputs: Vec::new(),
            floor: State::NotTaken,
            has_unknown_key: false,
            has_host: false,
            unseen_keys: Vec::new(),
            copies: Vec::new(),
            has_keyspaces: false,
        };
        this.inputs.push(input_of_digest("the map".to_owned(), theft.map.digest()));
        this.inputs.push(input_of_digest("the schema".to_owned(), &theft.schema.digest()));
        for log in &theft.logs {
            this.inputs.push(Input { name: log.folder.display().to_string(), sha256: None, bytes: None });
        }
        for (number, stolen) in theft.stolen.iter().enumerate() {
            this.add(number, stolen)?;
        }
        this.add_other_sources();
        this.has_keyspaces = this.needs_keyspaces();
        Ok(this)
    }

    fn bit(&mut self) -> u64 {
        let bit = self.next_bit.min(BITS.saturating_sub(1));
        self.next_bit = self.next_bit.saturating_add(1);
        1_u64.checked_shl(bit).unwrap_or_default()
    }

    fn add(&mut self, number: usize, stolen: &Stolen) -> Result<(), ExposureError> {
        let bit = self.bit();
        self.bits.push(bit);
        match &stolen.thing {
            Thing::Data { what, of, at } => {
                for (of, source, data) in taken(&self.theft.map, what, of.as_deref(), *at, &mut self.doubts)? {
                    let of_tokens = if self.copies.iter().any(|copy| copy.bits.is_some_and(|bits| bits.tokens == bit)) {
                        self.bit()
                    } else {
                        bit
                    };
                    let bits = Bits {
                        tokens: of_tokens,
                        plaintext: self.bit(),
                        clear: self.bit(),
                        index: self.bit(),
                        undeclared: self.bit(),
                    };
                    if let Some(all) = self.bits.get_mut(number) {
                        *all |= bits.all();
                    }
                    self.inputs.extend(files(source.at()).iter().map(|path| input(path)));
                    self.copies.push(Copy { source, of, data, bits: Some(bits) });
                }
            }
            Thing::Keyring(path) => {
                let failed = |what: &str| format!("{}: {what}", path.display());
                let text = fs::read_to_string(path)
                    .map_err(|error| ExposureError::not_read(failed("the keyring file cannot be read"), error))?;
                let file = text.parse().map_err(|error: rxseal::Error| {
                    ExposureError::not_read(failed("this is no keyring file"), error)
                })?;
                self.rings.push(Ring { file, taken: Some(number) });
                self.inputs.push(input(path));
            }
            Thing::Host(name, said) => self.add_whose(name, *said, true, bit),
            Thing::Actor(name, said) => self.add_whose(name, *said, false, bit),
            Thing::Key(_) | Thing::Kek(_) | Thing::Root(_) | Thing::SubjectKeys { .. } | Thing::Audit(_) => {}
        }
        Ok(())
    }

    /// A stolen login or host, and whether the log can say what was not opened then.
    fn add_whose(&mut self, name: &str, said: Option<Window>, is_host: bool, bit: u64) {
        self.has_host |= is_host;
        let Some(facts) = &self.facts else {
            self.floor = self.floor.min(State::Undecided);
            self.has_unknown_key |= is_host;
            let text = "no log was given, so what was opened with it is not known".to_owned();
            self.doubts.push(Doubt { code: "log-missing", place: Some(name.to_owned()), count: None, text });
            return;
        };
        let window = facts.window(said);
        let whose = Whose { name: name.to_owned(), is_host, window, said, bit };
        for doubt in facts.doubts(&whose) {
            self.floor = self.floor.min(doubt.state);
            // A keyring may have been unlocked of which the log knows nothing.
            self.has_unknown_key |= is_host;
            self.doubts.push(Doubt { code: doubt.code, place: Some(name.to_owned()), count: None, text: doubt.text });
        }
        if is_host && !facts.chains().has_host(name, window) {
            self.floor = self.floor.min(State::Undecided);
            self.has_unknown_key = true;
            let text = "the log has nothing of this host in that time: look whether the name and the time are right"
                .to_owned();
            self.doubts.push(Doubt { code: "host-unknown", place: Some(name.to_owned()), count: None, text });
        }
        if !is_host && !facts.has_actor(name) {
            self.floor = self.floor.min(State::Undecided);
            let text =
                "the log has no opening for this login: write it as the log does, such as user:kim.rph".to_owned();
            self.doubts.push(Doubt { code: "actor-unknown", place: Some(name.to_owned()), count: None, text });
        }
        // It may have been stolen at several times.
        let mut assume = |text: String| {
            if !self.assumed.iter().any(|known| known.text == text) {
                self.assumed.push(Assumed { text, by: self.theft.by.clone() });
            }
        };
        if said.is_none() {
            assume(format!("{name} was stolen within the time of the log, {} to {}", shown(window.0), shown(window.1)));
        }
        if !is_host {
            let hosts: Vec<_> = facts.chains().hosts().into_iter().collect();
            let hosts = hosts.join(", ");
            assume(format!("{name} was used with no program but those whose log was given: they ran on {hosts}"));
        } else if !facts.has_service_log() {
            assume(format!(
                "no keyring was unlocked on {name} that its log does not have: the log of the key service was not given"
            ));
        }
        self.whose.push(whose);
    }

    /// Sources of which no copy was taken: what is in them was not taken, and is read to know it. A host could read the others too.
    fn add_other_sources(&mut self) {
        let data = if self.has_host { Held::Perhaps } else { Held::NotTaken };
        for source in self.theft.map.sources() {
            let is_taken = |copy: &Copy| copy.source == *source || copy.of == source.name() && !self.has_host;
            if !self.copies.iter().any(is_taken) {
                let data = if self.is_in_a_taken_file(source) {
                    let text = "a copy of its database file was taken, and nobody said whether this table was in it: add data:COPY=SOURCE for it";
                    let place = Some(source.name().to_owned());
                    self.doubts.push(Doubt { code: "same-file", place, count: None, text: text.to_owned() });
                    Held::Unknown
                } else {
                    data
                };
                self.copies.push(Copy { source: source.clone(), of: source.name().to_owned(), data, bits: None });
            }
        }
    }

    /// Whether a copy of another table of the same SQLite file was taken.
    fn is_in_a_taken_file(&self, source: &Source) -> bool {
        let file = |source: &Source| match source.at() {
            At::Sqlite { file, .. } => Some(file.clone()),
            _ => None,
        };
        let Some(own) = file(source) else { return false };
        let others = self.theft.map.sources().iter().filter(|other| file(other).is_some_and(|file| file == own));
        let names: Vec<_> = others.map(Source::name).collect();
        self.copies.iter().any(|copy| copy.bits.is_some() && names.contains(&copy.of.as_str()))
    }

    pub(super) fn classes(&self) -> Classes {
        let of_log = self.facts.as_ref().filter(|_| !self.whose.is_empty()).map(|facts| facts.classes.clone());
        Classes::new(&self.theft.map, &self.theft.schema, of_log.unwrap_or_default())
    }

    pub(super) async fn read_all(&mut self, classes: &Classes) -> Result<Read, ExposureError> {
        let theft = self.theft;
        let mut patients = Patients::new(classes.len(), self.unnamed_subject_key());
        self.read_subject_keys(&mut patients).await?;
        let known = Known {
            map: &theft.map,
            schema: &theft.schema,
            classes,
            keys: &self.keys,
            key_bits: &self.bits,
            has_keyspaces: self.has_keyspaces,
            jurisdiction: theft.jurisdiction.as_deref(),
        };
        let (mut jurisdictions, mut found) = (Jurisdictions::new(), Vec::new());
        for copy in &self.copies {
            found.push(read(copy, &known, &theft.addresses, &mut patients, &mut jurisdictions).await?);
        }
        // Of a copy that was not read to its end, the source itself says who may have been in it.
        let mut others = Vec::new();
        for source in theft.map.sources() {
            let is_torn = |(copy, found): (&Copy, &Found)| copy.of == source.name() && found.not_whole.is_some();
            if self.copies.iter().zip(&found).any(is_torn) && !self.copies.iter().any(|copy| copy.source == *source) {
                let other =
                    Copy { source: source.clone(), of: source.name().to_owned(), data: Held::NotTaken, bits: None };
                found.push(read(&other, &known, &theft.addresses, &mut patients, &mut jurisdictions).await?);
                others.push(other);
            }
        }
        self.copies.extend(others);
        Ok(Read { patients, jurisdictions, found })
    }

    /// Whether there are several keyspaces: in the map, or in a log.
    fn needs_keyspaces(&self) -> bool {
        let is_column = |source: &Source| source.keyspace().column().is_some();
        let mut names: BTreeSet<String> = self.theft.keyspaces().into_iter().collect();
        names.extend(self.facts.iter().flat_map(|facts| &facts.keyspaces).cloned());
        for stolen in &self.theft.stolen {
            let Thing::Audit(folder) = &stolen.thing else { continue };
            // Whether it can be read is said where its patients are read.
            let _ = read_events(folder, |event: LoggedEvent| {
                names.extend(event.text("ks").filter(|_| event.patients().next().is_some()).map(str::to_owned));
            });
        }
        names.len() > 1 || self.theft.map.sources().iter().any(is_column)
    }

    pub(super) fn read_log(&mut self, classes: &Classes, read: &mut Read) -> Result<Openings, ExposureError> {
        self.read_taken_logs(classes, read)?;
        let Some(facts) = &self.facts else { return Ok(Openings::default()) };
        let logs = &self.theft.logs;
        let openings = Openings::read(logs, facts, &self.whose, classes, self.has_keyspaces, &mut read.patients)?;
        if openings.has_pages {
            let text = "a page of several records counts its fields together, so a class that was opened as often as there are records counts for each of them";
            self.assumed.push(Assumed { text: text.to_owned(), by: None });
        }
        if openings.unnamed > 0 {
            let text = "records without an id were opened, so nobody knows whose they are".to_owned();
            self.doubts.push(Doubt { code: "opening-unnamed", place: None, count: Some(openings.unnamed), text });
        }
        if openings.perhaps_in_time > 0 {
            let text = "openings may have been in the time of the theft, which by their own time they were not: the clock of their machine was set while the program ran, or they waited for a log that could not be written".to_owned();
            let count = Some(openings.perhaps_in_time);
            self.doubts.push(Doubt { code: "opening-time", place: None, count, text });
        }
        Ok(openings)
    }

    /// A log that was taken has the ids of patients.
    fn read_taken_logs(&mut self, classes: &Classes, read: &mut Read) -> Result<(), ExposureError> {
        let has_keyspaces = self.has_keyspaces;
        for (stolen, bits) in self.theft.stolen.iter().zip(&self.bits) {
            let Thing::Audit(folder) = &stolen.thing else { continue };
            let mut result = Ok(());
            let heard = read_events(folder, |event: LoggedEvent| {
                for (record, id) in named(&event, classes) {
                    let keyspace = event.text("ks").filter(|_| has_keyspaces);
                    match read.patients.number(keyspace, record.as_deref(), &id) {
                        Ok(patient) => {
                            read.patients.add_taken(patient, *bits);
                            if let Some(class) = classes.of_clear(ClearKind::Identifier) {
                                read.patients.add(patient, class, State::Readable);
                            }
                        }
                        Err(error) => result = Err(error),
                    }
                }
            });
            result?;
            if let Err(error) = heard {
                let text = format!("the log could not be read to its end: {}", said(&error));
                self.doubts.push(Doubt { code: "not-read", place: Some(stolen.to_string()), count: None, text });
            }
        }
        Ok(())
    }

    /// Tokens by key in all copies that were taken.
    pub(super) fn tokens_by_key(&self, found: &[Found]) -> BTreeMap<KeyId, u64> {
        let mut all = BTreeMap::new();
        for (key, count) in
            self.copies.iter().zip(found).filter(|(copy, _)| copy.bits.is_some()).flat_map(|(_, found)| &found.keys)
        {
            let sum: &mut u64 = all.entry(*key).or_default();
            *sum = sum.saturating_add(*count);
        }
        all
    }
}
