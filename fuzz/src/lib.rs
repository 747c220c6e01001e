//! What the targets share: one keyring a process, and the record that the adapters read and write.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rxseal::{Access, Each, Keyring, Parts, Phi, Purpose, Record, RecordAccess, Sealed, Sealing, phi};
use serde::{Deserialize, Serialize};

/// Random keys that are gone with the process.
pub static KEYS: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::insecure_for_tests("fuzz").expect("a keyring").unobserved());

pub fn record() -> Record {
    KEYS.record("fuzzed", 1_u64).expect("a record")
}

pub fn access() -> RecordAccess {
    static ACCESS: LazyLock<Access> = LazyLock::new(|| Access::new("job:fuzz", Purpose::HTEST).expect("an access"));
    record().access(&ACCESS)
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
}

/// The same, as the fuzzer makes it up.
#[derive(arbitrary::Arbitrary, Debug)]
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
}

impl Made {
    /// `None` where a text is itself a token, which sealing refuses.
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
        })
    }

    /// The law of both adapters: what was read is what was written.
    pub fn assert_same(&self, read: &Fuzzed) {
        assert_eq!(self.number, read.number);
        assert!(self.name == read.name && self.directions == read.directions && self.note == read.note);
        assert!(self.drug == *read.drug.expose_phi() && self.days == read.days);
        assert!(self.diagnoses == read.diagnoses && self.strengths == read.strengths);
        assert!(self.prescriber == read.prescriber.open(&access()).expect("our own token"));
    }
}

