//! The common part of the targets: one keyring a process, and the record that the adapters read and write.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use rxseal::keys::{KeyState, Suite};
use rxseal::subjects::SubjectKey;
use rxseal::{
    Access, Each, Keyring, Parts, Phi, Purpose, Record, RecordReader, Sealed, Sealing, Token, phi, run_local, testing,
};
use serde::{Deserialize, Serialize};

pub mod laws;
pub mod logs;

/// Random keys that are gone when the process ends: the primary, and one deactivated, one compromised and one destroyed
/// key.
pub static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let (roots, first) = testing::insecure_keyring_file("fuzz").expect("a keyring");
    let rotate = |file: &_| run_local(rxseal::testing::rotate_keyring("fuzz", &roots, file)).expect("a rotation");
    let last = rotate(&rotate(&rotate(&first)));
    let old: Vec<_> =
        last.keys().iter().filter(|key| key.state() == KeyState::Deactivated).map(|key| key.id()).collect();
    let file = [(old[0], KeyState::Compromised), (old[1], KeyState::Destroyed)].into_iter().fold(
        last,
        |file, (key, state)| {
            run_local(rxseal::testing::force_key_state("fuzz", &roots, &file, key, state)).expect("a state")
        },
    );
    run_local(Keyring::unlock("fuzz", &roots, &file)).expect("an unlocked keyring").unobserved()
});

/// The same for suite `c`.
pub static CHACHA: LazyLock<Keyring> = LazyLock::new(|| {
    let (roots, _) = testing::insecure_keyring_file("fuzz").expect("a keyring");
    let file = run_local(rxseal::testing::create_keyring("fuzz", &roots, Suite::XChaCha20Poly1305)).expect("a keyring");
    run_local(Keyring::unlock("fuzz", &roots, &file)).expect("an unlocked keyring").unobserved()
});

pub static SUBJECT: LazyLock<SubjectKey> =
    LazyLock::new(|| KEYS.create_subject_key("patient").expect("a subject key").0);

pub static ACCESS: LazyLock<Access> = LazyLock::new(|| Access::new("job:fuzz", Purpose::HTEST).expect("an access"));

pub fn record() -> Record {
    KEYS.record("fuzzed", 1_u64).expect("a record")
}

pub fn access() -> RecordReader {
    record().opened_by(&ACCESS)
}

/// One record for each letter, and one with a subject and a part.
pub fn records() -> [Record; 5] {
    let part = record().subject(&SUBJECT).and_then(|record| record.part("line", 1_u64));
    [
        record(),
        // Wide tokens bind no less than others: with the same id it would be the same place.
        KEYS.record("fuzzed", 2_u64).expect("a record").wide(),
        KEYS.unbound("fuzzed").expect("a record"),
        CHACHA.record("fuzzed", 1_u64).expect("a record"),
        part.expect("a record"),
    ]
}

/// A value made up from the fuzzer's bytes. The bytes are also used unchanged, so that a corpus of plain files works.
pub fn made<'a, T: Arbitrary<'a>>(data: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(data)).ok()
}

/// `genuine` with the changes in `data`. A change is three bytes: a place, and the bits to flip there. 0xFF cuts off the
/// rest instead.
pub fn changed(genuine: &[u8], data: &[u8]) -> Vec<u8> {
    let mut changed = genuine.to_vec();
    for change in data.chunks_exact(3).take(8).filter(|_| !genuine.is_empty()) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % genuine.len();
        if change[2] == 0xFF {
            changed.truncate(at);
        } else if let Some(byte) = changed.get_mut(at) {
            *byte ^= change[2];
        }
    }
    changed
}

/// Every form of a field in one struct.
#[derive(Serialize, Deserialize)]
pub struct Fuzzed {
    pub number: u64,
    #[serde(with = "Sealing::<phi::PatientName>")]
    pub name: String,
    #[serde(with = "Sealing::<Option<phi::Directions>>", default)]
    pub directions: Option<String>,
    #[serde(with = "Sealing::<phi::Note>")]
    pub note: Option<String>,
    pub drug: Phi<String, phi::Drug>,
    pub prescriber: Sealed<String, phi::PrescriberName>,
    #[serde(with = "Sealing::<Each<phi::Diagnosis>>")]
    pub diagnoses: Vec<String>,
    #[serde(with = "Sealing::<Parts<phi::Strength>>")]
    pub strengths: BTreeMap<u32, String>,
    #[serde(with = "Sealing::<phi::DaysSupply>")]
    pub days: i64,
    #[serde(with = "Sealing::<phi::Allergy>")]
    pub allergies: Vec<(String, u8)>,
}

/// The same, in a form that the fuzzer can make up.
#[derive(Arbitrary, Debug)]
pub struct Made {
    number: u64,
    name: String,
    directions: Option<String>,
    note: Option<String>,
    drug: String,
    prescriber: String,
    diagnoses: Vec<String>,
    strengths: BTreeMap<u32, String>,
    days: i64,
    allergies: Vec<(String, u8)>,
}

impl Made {
    /// `None` if a text is itself a token, which sealing refuses.
    pub fn sealable(&self) -> Option<Fuzzed> {
        Some(Fuzzed {
            number: self.number,
            name: self.name.clone(),
            directions: self.directions.clone(),
            note: self.note.clone(),
            drug: self.drug.clone().into(),
            prescriber: Sealed::seal(&record(), self.prescriber.as_str()).ok()?,
            diagnoses: self.diagnoses.clone(),
            strengths: self.strengths.clone(),
            days: self.days,
            allergies: self.allergies.clone(),
        })
    }

    /// The law of both adapters: what was written is read back.
    pub fn assert_same(&self, read: &Fuzzed) {
        self.assert_ours(read);
        assert_eq!(self.number, read.number);
        assert_eq!(self.directions, read.directions);
        assert!(self.diagnoses == read.diagnoses && self.strengths == read.strengths);
        assert!(self.prescriber == read.prescriber.open(&access()).expect("our own token"));
    }

    /// The most that a thief with write access can do to a record (docs/THREAT-MODEL.md, N3 to N5): leave out optional
    /// fields, remove or repeat elements, and change what is in clear. Every value that is read was sealed there.
    pub fn assert_ours(&self, read: &Fuzzed) {
        assert!(self.name == read.name && self.note == read.note);
        assert!(self.drug == *read.drug.expose_phi() && self.days == read.days && self.allergies == read.allergies);
        assert!(read.directions.is_none() || read.directions == self.directions);
        assert!(read.diagnoses.iter().all(|diagnosis| self.diagnoses.contains(diagnosis)));
        assert!(read.strengths.iter().all(|(line, strength)| self.strengths.get(line) == Some(strength)));
        if let Ok(prescriber) = read.prescriber.open(&access()) {
            assert_eq!(prescriber, self.prescriber);
        }
    }
}

impl Fuzzed {
    /// T45: nothing that a client sent is a token, in any form.
    pub fn assert_no_tokens(&self) {
        let texts = [Some(&self.name), self.directions.as_ref(), self.note.as_ref(), Some(self.drug.expose_phi())];
        let lists =
            self.diagnoses.iter().chain(self.strengths.values()).chain(self.allergies.iter().map(|(text, _)| text));
        assert!(texts.into_iter().flatten().chain(lists).all(|text| text.parse::<Token>().is_err()));
    }
}
