//! All patients, and what is known of each: a few bytes for each patient and class.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::classes::Classes;
use crate::error::ExposureError;
use crate::rule::Held;
use crate::state::State;

/// The bit of a thing that was stolen, or of a part of it. What is beyond has the last one.
pub(crate) const BITS: u32 = 64;

/// Patients by number.
pub(crate) struct Patients {
    /// By the beginning of the SHA-256 of what names the patient.
    by_digest: HashMap<[u8; 16], u32>,
    /// All names one behind the other, and where each ends.
    names: String,
    ends: Vec<u32>,
    /// How many classes each patient has a state of.
    width: usize,
    states: Vec<State>,
    taken: Vec<u64>,
    opened: Vec<(u32, u32)>,
    /// `None` of those whom no store named.
    subject_keys: Vec<Option<Held>>,
    /// Whether a source or a log names the patient, and not only a store of subject keys.
    is_named: Vec<bool>,
    /// What is known of the subject keys of patients whom no store named.
    unnamed_key: Held,
}

/// What is known of a patient.
pub(crate) struct Patient<'p> {
    /// The keyspace, if the map has several.
    pub(crate) keyspace: Option<&'p str>,
    /// The record type, if the id is that of a record without a subject. The same id in another record type is somebody else.
    pub(crate) record: Option<&'p str>,
    pub(crate) id: &'p str,
    /// By class.
    pub(crate) states: &'p [State],
    pub(crate) taken: u64,
    /// When it was opened for the first and for the last time, in Unix seconds, as far as events say it.
    pub(crate) opened: Option<(u32, u32)>,
}

/// The overall state of a patient: the worst of what should be sealed, as the totals count it, and the worst of readable columns.
pub(crate) fn overall(classes: &Classes, state: impl Fn(usize) -> State) -> [State; 2] {
    let worst = |is_in_totals: bool| {
        let of = (0..classes.len()).filter(|class| classes.is_in_totals(*class) == is_in_totals);
        of.map(&state).min().unwrap_or(State::NotTaken)
    };
    [worst(true), worst(false)]
}

impl Patients {
    pub(crate) fn new(width: usize, unnamed_key: Held) -> Self {
        Self {
            by_digest: HashMap::new(),
            names: String::new(),
            ends: Vec::new(),
            width,
            states: Vec::new(),
            taken: Vec::new(),
            opened: Vec::new(),
            subject_keys: Vec::new(),
            is_named: Vec::new(),
            unnamed_key,
        }
    }

    /// The number of a patient, who need not be known yet: a subject, or a record of this type that has none.
    pub(crate) fn number(
        &mut self,
        keyspace: Option<&str>,
        record: Option<&str>,
        id: &str,
    ) -> Result<usize, ExposureError> {
        let number = self.number_of_any(keyspace, record, id)?;
        if let Some(is_named) = self.is_named.get_mut(number) {
            *is_named = true;
        }
        Ok(number)
    }

    fn number_of_any(
        &mut self,
        keyspace: Option<&str>,
        record: Option<&str>,
        id: &str,
    ) -> Result<usize, ExposureError> {
        let digest = digest([keyspace.unwrap_or_default(), record.unwrap_or_default(), id]);
        if let Some(known) = self.by_digest.get(&digest) {
            return Ok(usize::try_from(*known).unwrap_or(usize::MAX));
        }
        let number = self.ends.len();
        let key = u32::try_from(number).map_err(|_| ExposureError::too_many())?;
        // No keyspace and no record type has a line end in it, and an id may be anything.
        self.names.extend([keyspace.unwrap_or_default(), "\n", record.unwrap_or_default(), "\n", id]);
        self.ends.push(u32::try_from(self.names.len()).map_err(|_| ExposureError::too_many())?);
        self.by_digest.insert(digest, key);
        self.states.resize(self.states.len().saturating_add(self.width), State::NotTaken);
        self.taken.push(0);
        self.opened.push((u32::MAX, 0));
        self.subject_keys.push(None);
        self.is_named.push(false);
        Ok(number)
    }

    /// Says that a class of a patient is in this state, unless a worse one is known.
    pub(crate) fn add(&mut self, patient: usize, class: usize, state: State) {
        let at = patient.saturating_mul(self.width).saturating_add(class);
        if let Some(known) = self.states.get_mut(at) {
            *known = state.min(*known);
        }
    }

    /// Says that a thing has data of a patient.
    pub(crate) fn add_taken(&mut self, patient: usize, bits: u64) {
        if let Some(known) = self.taken.get_mut(patient) {
            *known |= bits;
        }
    }

    /// Says that a patient's data was opened at this second.
    pub(crate) fn add_opened(&mut self, patient: usize, at: u64) {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        if let Some((first, last)) = self.opened.get_mut(patient) {
            (*first, *last) = (at.min(*first), at.max(*last));
        }
    }

    pub(crate) fn subject_key(&self, patient: usize) -> Held {
        self.subject_keys.get(patient).copied().flatten().unwrap_or(self.unnamed_key)
    }

    /// Says what is known of the key of a subject, who may have no data at all. Of several stores the worst counts.
    pub(crate) fn add_subject_key(
        &mut self,
        keyspace: Option<&str>,
        id: &str,
        held: Held,
    ) -> Result<(), ExposureError> {
        let patient = self.number_of_any(keyspace, None, id)?;
        if let Some(known) = self.subject_keys.get_mut(patient) {
            *known = Some(known.map_or(held, |known| held.min(known)));
        }
        Ok(())
    }

    /// Says that a stolen store could not be read to its end: it may have the key of anybody.
    pub(crate) fn doubt_subject_keys(&mut self) {
        self.subject_keys.iter_mut().flatten().for_each(|held| *held = Held::Unknown.min(*held));
        self.unnamed_key = Held::Unknown.min(self.unnamed_key);
    }

    /// All patients that are named, in the order in which they were found, with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Patient<'_>)> {
        let mut begin = 0;
        let ends = self.ends.iter().map(|end| usize::try_from(*end).unwrap_or(usize::MAX));
        let states = self.states.chunks(self.width.max(1));
        let all = ends.zip(states).zip(&self.taken).zip(&self.opened).map(move |(((end, states), taken), opened)| {
            let name = self.names.get(begin..end).unwrap_or_default();
            begin = end;
            let (keyspace, name) = name.split_once('\n').unwrap_or_default();
            let (record, id) = name.split_once('\n').unwrap_or_default();
            let [keyspace, record] = [keyspace, record].map(|name| Some(name).filter(|name| !name.is_empty()));
            let opened = Some(*opened).filter(|(first, last)| first <= last);
            Patient { keyspace, record, id, states, taken: *taken, opened }
        });
        all.enumerate().zip(&self.is_named).filter(|(_, is_named)| **is_named).map(|(patient, _)| patient)
    }
}

fn digest(parts: [&str; 3]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(digest.first_chunk::<16>().unwrap_or(&[0; 16]));
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_has_one_number_in_a_keyspace() {
        let mut patients = Patients::new(2, Held::Unknown);
        assert_eq!(patients.number(Some("a"), None, "7").unwrap(), 0);
        assert_eq!(patients.number(Some("b"), None, "7").unwrap(), 1);
        assert_eq!(patients.number(Some("a"), None, "7").unwrap(), 0);
        patients.add(1, 1, State::Sealed);
        patients.add(1, 1, State::Undecided);
        patients.add(1, 1, State::Sealed);
        patients.add_opened(1, 9);
        patients.add_opened(1, 7);
        // A record without a subject is nobody else's record, and no subject.
        for (record, number) in [("visit", 2), ("fill", 3), ("visit", 2)] {
            assert_eq!(patients.number(Some("a"), Some(record), "7").unwrap(), number);
        }
        let names: Vec<_> = patients.iter().map(|(_, of)| (of.keyspace, of.record, of.id)).skip(2).collect();
        assert_eq!(names, [(Some("a"), Some("visit"), "7"), (Some("a"), Some("fill"), "7")]);
        let all = patients.iter().map(|(_, of)| (of.keyspace, of.id, of.states.to_vec(), of.opened)).take(2);
        let all: Vec<_> = all.collect();
        let first = (Some("a"), "7", vec![State::NotTaken; 2], None);
        assert_eq!(all, [first, (Some("b"), "7", vec![State::NotTaken, State::Undecided], Some((7, 9)))]);
    }
}
