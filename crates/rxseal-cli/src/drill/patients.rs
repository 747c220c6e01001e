//! How many different patients there are, and by which keys their values are read. A patient is remembered by a number, not by an id.

use std::collections::HashMap;

use rxseal::keys::KeyringFile;
use rxseal::store::{StoredSubject, SubjectKeyStore};
use rxseal::{Error, KeyId};
use sha2::{Digest as _, Sha256};

use super::row::{Cell, Row};

/// How many subject keys are read at a time.
const PAGE: usize = 1000;

/// Which ways there are to a patient's values: one bit for each of them.
type Bits = u128;

/// What a value needs beside the key that it is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    Nothing,
    /// The patient's own key, which is under this key of the keyring.
    SubjectKeyUnder(KeyId),
    /// The patient's own key, which is in no store.
    Gone,
}

/// The patients of all sources.
#[derive(Default)]
pub struct Patients {
    /// Under which key each patient's own key is.
    wraps: HashMap<u64, KeyId>,
    ways: Vec<Way>,
    of: HashMap<u64, Bits>,
    /// More ways than there are bits.
    overflows: bool,
}

/// Values that are read in the same way.
struct Way {
    key: KeyId,
    need: Need,
    values: u64,
}

impl Patients {
    /// Learns under which keys the patients' own keys are. None of them is unwrapped.
    pub async fn read_subject_keys(&mut self, store: &dyn SubjectKeyStore, rings: &[KeyringFile]) -> Result<(), Error> {
        for (at, ring) in rings.iter().enumerate() {
            let mut after: Option<String> = None;
            loop {
                let page = store.page(ring.keyspace(), after.as_deref(), PAGE).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                for (subject, stored) in page {
                    if let StoredSubject::Key(wrapped) = stored {
                        let patient = of_subject(Some(at), &Cell::Text(subject.into()));
                        self.wraps.insert(patient, wrapped.key_id());
                    }
                }
            }
        }
        Ok(())
    }

    /// So many values of a row that are under this key.
    pub fn add(&mut self, row: &Row, record: &str, ids: &[Cell], key: KeyId, values: u64) {
        let need = self.need(row);
        let patient = match need {
            Need::Nothing => number(row.ring, record, ids),
            _ => of_subject(row.ring, &row.subject),
        };
        let way = self.ways.iter().position(|way| (way.key, way.need) == (key, need)).unwrap_or_else(|| {
            self.ways.push(Way { key, need, values: 0 });
            self.ways.len().saturating_sub(1)
        });
        if let Some(way) = self.ways.get_mut(way) {
            way.values = way.values.saturating_add(values);
        }
        let bit = u32::try_from(way).ok().and_then(|way| Bits::from(1_u8).checked_shl(way));
        self.overflows |= bit.is_none();
        let ways = self.of.entry(patient).or_default();
        *ways |= bit.unwrap_or_default();
    }

    /// What the values of a row need.
    pub fn need(&self, row: &Row) -> Need {
        if !row.subject.is_some() {
            return Need::Nothing;
        }
        let under = self.wraps.get(&of_subject(row.ring, &row.subject));
        under.map_or(Need::Gone, |key| Need::SubjectKeyUnder(*key))
    }

    pub fn count(&self) -> u64 {
        u64::try_from(self.of.len()).unwrap_or(u64::MAX)
    }

    /// How many patients have a value that is read in one of these ways, and how many such values there are. No patients if there are too many ways
    /// to tell them apart.
    pub fn readable(&self, is_read: impl Fn(KeyId, Need) -> bool) -> (Option<u64>, u64) {
        let (mut bits, mut values): (Bits, u64) = (0, 0);
        for (at, way) in (0_u32..).zip(&self.ways).filter(|(_, way)| is_read(way.key, way.need)) {
            bits |= Bits::from(1_u8).checked_shl(at).unwrap_or_default();
            values = values.saturating_add(way.values);
        }
        let patients = self.of.values().filter(|ways| *ways & bits != 0).count();
        ((!self.overflows).then(|| u64::try_from(patients).unwrap_or(u64::MAX)), values)
    }
}

fn of_subject(ring: Option<usize>, subject: &Cell) -> u64 {
    number(ring, "", std::slice::from_ref(subject))
}

/// The first bytes of a digest. Two of a million patients share them once in forty million times.
fn number(ring: Option<usize>, record: &str, ids: &[Cell]) -> u64 {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update(bytes.len().to_le_bytes());
        digest.update(bytes);
    };
    add(&ring.map_or([0xFF; 8], |ring| u64::try_from(ring).unwrap_or(u64::MAX).to_le_bytes()));
    add(record.as_bytes());
    for id in ids {
        add(&id.identity());
    }
    digest.finalize().first_chunk().copied().map_or(0, u64::from_le_bytes)
}
