//! The record that is measured: 8 fields, 5 of them sealed in 3 classes, 20 to 60 bytes each, 32-byte blocks.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use rxseal::root::RootKeys;
use rxseal::{Access, Error, Keyring, PhiRecord, Purpose, RecordTag, Sealing};
use serde::{Deserialize, Serialize};

pub const NAME: &str = "Mrs. Corrin Gerhold-Whitfield";
pub const BIRTH_DATE: &str = "1957-03-21T00:00:00Z";
pub const DRUG: &str = "lisinopril 10 MG Oral Tablet";
pub const DIRECTIONS: &str = "Take one tablet by mouth once daily in the morning.";
pub const PRESCRIBER: &str = "Dr. Olevia Hermiston";

rxseal::fields! {
    pub Name = "bench.name" in Identity;
    pub BirthDate = "bench.birth-date" in Identity;
    pub Drug = "bench.drug" in Medication;
    pub Directions = "bench.directions" in Medication;
    pub Prescriber = "bench.prescriber" in Prescriber;
    pub Tight = "bench.tight" in Identity { block: 1 };
}

/// Field ids and contents, as the floor seals them.
pub const FIELDS: [(&str, &str); 5] = [
    ("bench.name", NAME),
    ("bench.birth-date", BIRTH_DATE),
    ("bench.drug", DRUG),
    ("bench.directions", DIRECTIONS),
    ("bench.prescriber", PRESCRIBER),
];

#[derive(Serialize, Deserialize)]
pub struct Prescription {
    pub rx_number: u64,
    #[serde(with = "Sealing::<Name>")]
    pub patient_name: String,
    #[serde(with = "Sealing::<BirthDate>")]
    pub birth_date: String,
    #[serde(with = "Sealing::<Drug>")]
    pub drug: String,
    #[serde(with = "Sealing::<Directions>")]
    pub directions: String,
    #[serde(with = "Sealing::<Prescriber>")]
    pub prescriber: String,
    pub refills: u8,
    pub status: String,
}

/// The same record as a struct with a sealed twin.
#[derive(PhiRecord)]
#[phi(record = "prescription")]
pub struct PrescriptionRecord {
    #[phi(id)]
    pub rx_number: u64,
    #[phi(seal = Name)]
    pub patient_name: String,
    #[phi(seal = BirthDate)]
    pub birth_date: String,
    #[phi(seal = Drug)]
    pub drug: String,
    #[phi(seal = Directions)]
    pub directions: String,
    #[phi(seal = Prescriber)]
    pub prescriber: String,
    #[phi(clear)]
    pub refills: u8,
    #[phi(clear)]
    pub status: String,
}

/// The same with a record tag, which covers two of the readable fields.
#[derive(PhiRecord)]
#[phi(record = "prescription")]
pub struct TaggedPrescription {
    #[phi(id)]
    pub rx_number: u64,
    #[phi(seal = Name)]
    pub patient_name: String,
    #[phi(seal = BirthDate)]
    pub birth_date: String,
    #[phi(seal = Drug)]
    pub drug: String,
    #[phi(seal = Directions)]
    pub directions: String,
    #[phi(seal = Prescriber)]
    pub prescriber: String,
    #[phi(clear, bind = "bench.refills")]
    pub refills: u8,
    #[phi(clear, bind = "bench.status")]
    pub status: String,
    #[phi(record_tag)]
    pub tag: RecordTag,
}

pub fn tagged_prescription() -> TaggedPrescription {
    let PrescriptionRecord { rx_number, patient_name, birth_date, drug, directions, prescriber, refills, status } =
        prescription_record();
    let tag = RecordTag::new();
    TaggedPrescription { rx_number, patient_name, birth_date, drug, directions, prescriber, refills, status, tag }
}

/// What `keys.seal(&rx)` does, written by hand.
pub fn seal_by_hand(keys: &Keyring, rx: &PrescriptionRecord) -> Result<SealedPrescriptionRecord, Error> {
    keys.record("prescription", rx.rx_number)?.seal_fields(|pass| {
        Ok(SealedPrescriptionRecord {
            rx_number: rx.rx_number,
            patient_name: pass.seal::<Name>(&rx.patient_name)?.into(),
            birth_date: pass.seal::<BirthDate>(&rx.birth_date)?.into(),
            drug: pass.seal::<Drug>(&rx.drug)?.into(),
            directions: pass.seal::<Directions>(&rx.directions)?.into(),
            prescriber: pass.seal::<Prescriber>(&rx.prescriber)?.into(),
            refills: rx.refills,
            status: rx.status.clone(),
        })
    })
}

/// What `keys.open(&row, &access)` does, written by hand.
pub fn open_by_hand(
    keys: &Keyring,
    row: &SealedPrescriptionRecord,
    access: &Access,
) -> Result<PrescriptionRecord, Error> {
    keys.record("prescription", row.rx_number)?.opened_by(access).open_fields(|pass| {
        Ok(PrescriptionRecord {
            rx_number: row.rx_number,
            patient_name: pass.open::<Name, _>(row.patient_name.token())?,
            birth_date: pass.open::<BirthDate, _>(row.birth_date.token())?,
            drug: pass.open::<Drug, _>(row.drug.token())?,
            directions: pass.open::<Directions, _>(row.directions.token())?,
            prescriber: pass.open::<Prescriber, _>(row.prescriber.token())?,
            refills: row.refills,
            status: row.status.clone(),
        })
    })
}

/// The same record without rxseal.
#[derive(Serialize, Deserialize)]
pub struct PlainPrescription {
    pub rx_number: u64,
    pub patient_name: String,
    pub birth_date: String,
    pub drug: String,
    pub directions: String,
    pub prescriber: String,
    pub refills: u8,
    pub status: String,
}

pub fn prescription() -> Prescription {
    Prescription {
        rx_number: 7_301_442,
        patient_name: NAME.into(),
        birth_date: BIRTH_DATE.into(),
        drug: DRUG.into(),
        directions: DIRECTIONS.into(),
        prescriber: PRESCRIBER.into(),
        refills: 3,
        status: "active".into(),
    }
}

pub fn prescription_record() -> PrescriptionRecord {
    PrescriptionRecord {
        rx_number: 7_301_442,
        patient_name: NAME.into(),
        birth_date: BIRTH_DATE.into(),
        drug: DRUG.into(),
        directions: DIRECTIONS.into(),
        prescriber: PRESCRIBER.into(),
        refills: 3,
        status: "active".into(),
    }
}

pub fn plain_prescription() -> PlainPrescription {
    PlainPrescription {
        rx_number: 7_301_442,
        patient_name: NAME.into(),
        birth_date: BIRTH_DATE.into(),
        drug: DRUG.into(),
        directions: DIRECTIONS.into(),
        prescriber: PRESCRIBER.into(),
        refills: 3,
        status: "active".into(),
    }
}

pub const RECORD_ID: &str = "0193a7e4-7c1e-7d5a-9b1f-2f6f3a0c4d11";

pub fn roots() -> RootKeys {
    rxseal::testing::insecure_keyring_file("bench").unwrap().0
}

pub fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}
