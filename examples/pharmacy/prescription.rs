//! A prescription in its two forms: open in memory, and sealed everywhere else. This is the part to copy.

use rxseal::page::OpenPass;
use rxseal::{Error, Field, Keyring, Phi, Record, RecordReader, Sealed, Sealing, Wipe, phi};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Every token of a prescription is bound to this, to the keyspace and to the row's id. It never changes: it is not the
/// name of the table, which may change.
pub const RECORD_TYPE: &str = "prescription";

rxseal::fields! {
    /// The ids of the prescription and the patient in the system that they came from.
    pub SourceIds = "pharmacy.source-ids" in Identity { block: 128 };
}

/// A prescription as the program works with it.
///
/// Serde seals its fields when it writes them and opens them when it reads them, only inside the scope of a record.
/// Outside of a scope it can be neither written nor read, so it never gets into a log line or a cache in clear.
#[derive(PartialEq, Serialize, Deserialize)]
pub struct Prescription {
    /// Our own number for the patient. It is readable, so that a patient's prescriptions can be found, and therefore
    /// random: the id in other systems is often the medical record number.
    pub patient: String,
    /// The year in which it was written. It is readable, for reports. A date is de-identified only if no more than the
    /// year is left (45 CFR 164.514(b)(2)(i)(C)).
    pub authored: String,

    // `Phi` is silent in `Debug` and wiped on drop, and every use of the value says `expose_phi`. Use it when in doubt.
    pub patient_name: Phi<String, phi::PatientName>,
    pub birth_date: Phi<String, phi::BirthDate>,
    pub drug: Phi<String, phi::Drug>,
    // `Sealing` is an ordinary type in memory, for code that must have one. A derived `Debug` would print it, so this
    // struct derives none. `None` stays a null in the table, so everybody sees that there are no directions.
    // `Sealing::<phi::Directions>` would hide that too.
    #[serde(with = "Sealing::<Option<phi::Directions>>")]
    pub directions: Option<String>,
    pub prescriber: Phi<String, phi::PrescriberName>,
    // Other types than text can be sealed: this one is a struct.
    pub source: Phi<Source, SourceIds>,
}

/// Where a prescription came from.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Wipe)]
pub struct Source {
    pub patient: String,
    pub request: String,
}

/// The same row with every field left sealed, for jobs that move rows and must not read them.
///
/// It needs no scope, and it writes back unchanged what it does not open.
#[derive(Serialize, Deserialize)]
pub struct SealedPrescription {
    pub patient: String,
    pub authored: String,
    pub patient_name: Sealed<String, phi::PatientName>,
    pub birth_date: Sealed<String, phi::BirthDate>,
    pub drug: Sealed<String, phi::Drug>,
    pub directions: Option<Sealed<String, phi::Directions>>,
    pub prescriber: Sealed<String, phi::PrescriberName>,
    pub source: Sealed<Source, SourceIds>,
}

impl Prescription {
    /// Seals the whole row. The resulting JSON has tokens in place of the PHI.
    pub fn seal(&self, record: &Record) -> Result<String, Error> {
        record.run_sealing(|| serde_json::to_string(self))
    }

    /// Opens the whole row.
    pub fn open(columns: &str, record: &RecordReader) -> Result<Self, Error> {
        record.run_opening(|| serde_json::from_str(columns))
    }

    /// Every text in it that must not appear in a file.
    pub fn for_each_secret(&self, mut visit: impl FnMut(&'static str, &str)) {
        visit("patient name", self.patient_name.expose_phi());
        visit("birth date", self.birth_date.expose_phi());
        visit("drug", self.drug.expose_phi());
        visit("directions", self.directions.as_deref().unwrap_or_default());
        visit("prescriber", self.prescriber.expose_phi());
        visit("record number", &self.source.expose_phi().patient);
        visit("request number", &self.source.expose_phi().request);
    }
}

impl SealedPrescription {
    /// Opens the row as part of a page: see `jobs::open_all`.
    pub fn open(&self, pass: &mut OpenPass<'_>) -> Result<Prescription, Error> {
        Ok(Prescription {
            patient: self.patient.clone(),
            authored: self.authored.clone(),
            patient_name: open(pass, &self.patient_name)?.into(),
            birth_date: open(pass, &self.birth_date)?.into(),
            drug: open(pass, &self.drug)?.into(),
            directions: self.directions.as_ref().map(|directions| open(pass, directions)).transpose()?,
            prescriber: open(pass, &self.prescriber)?.into(),
            source: open(pass, &self.source)?.into(),
        })
    }

    /// Whether any of its tokens is under a key other than the one that seals now.
    pub fn needs_reseal(&self, keys: &Keyring) -> Result<bool, Error> {
        let tokens = [
            Some(self.patient_name.token()),
            Some(self.birth_date.token()),
            Some(self.drug.token()),
            self.directions.as_ref().map(Sealed::token),
            Some(self.prescriber.token()),
            Some(self.source.token()),
        ];
        tokens.into_iter().flatten().try_fold(false, |stale, token| Ok(stale | keys.needs_reseal(token)?))
    }

    /// The same row under the key that seals now. The plaintext does not leave the crate for this.
    pub fn reseal(&self, record: &Record) -> Result<Self, Error> {
        Ok(Self {
            patient: self.patient.clone(),
            authored: self.authored.clone(),
            patient_name: reseal(record, &self.patient_name)?,
            birth_date: reseal(record, &self.birth_date)?,
            drug: reseal(record, &self.drug)?,
            directions: self.directions.as_ref().map(|directions| reseal(record, directions)).transpose()?,
            prescriber: reseal(record, &self.prescriber)?,
            source: reseal(record, &self.source)?,
        })
    }
}

// The type of a `Sealed` names its field, so no call above can name the wrong one.

fn open<T: DeserializeOwned, F: Field>(pass: &mut OpenPass<'_>, field: &Sealed<T, F>) -> Result<T, Error> {
    pass.open::<F, T>(field.token())
}

fn reseal<T, F: Field>(record: &Record, field: &Sealed<T, F>) -> Result<Sealed<T, F>, Error> {
    record.reseal::<F>(field.token()).map(Sealed::from)
}
