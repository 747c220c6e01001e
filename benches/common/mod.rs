//! The record that is measured: 8 fields, 5 of them sealed in 3 classes, 20 to 60 bytes each, 32-byte blocks.
#![allow(dead_code, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

pub mod clock;
pub mod heap;

use rxseal::{
    Access, Backend, Keyring, MaySeal, Purpose, Record, RecordAccess, RootKeys, SealPass, Sealing, Suite,
    UnlockOptions, run_local,
};
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

pub fn keyring(suite: Suite) -> Keyring {
    unlocked(suite).unobserved()
}

pub fn unlocked(suite: Suite) -> rxseal::Unlocked {
    unlocked_with(suite, Backend::default())
}

pub fn unlocked_with(suite: Suite, backend: Backend) -> rxseal::Unlocked {
    let roots = roots();
    let file = run_local(Keyring::create("pharmacy-17", &roots, suite)).unwrap();
    let options = UnlockOptions::default().backend(backend);
    run_local(Keyring::unlock_with(options, "pharmacy-17", &roots, &file)).unwrap()
}

pub fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// The backends that were compiled.
pub fn backends() -> Vec<Backend> {
    vec![
        Backend::RustCrypto,
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc,
    ]
}

/// Seals the five fields as one pass, as text.
pub fn seal_record<R: MaySeal>(record: &Record<R>) -> [String; 5] {
    record
        .seal_fields(|pass: &mut SealPass<'_>| {
            Ok::<_, rxseal::Error>([
                pass.seal_text::<Name>(NAME)?,
                pass.seal_text::<BirthDate>(BIRTH_DATE)?,
                pass.seal_text::<Drug>(DRUG)?,
                pass.seal_text::<Directions>(DIRECTIONS)?,
                pass.seal_text::<Prescriber>(PRESCRIBER)?,
            ])
        })
        .unwrap()
}

/// Opens them as one opening.
pub fn open_record(open: &RecordAccess, [name, birth_date, drug, directions, prescriber]: &[String; 5]) -> [String; 5] {
    open.open_fields(|pass| {
        Ok::<_, rxseal::Error>([
            pass.open_text::<Name, _>(name)?,
            pass.open_text::<BirthDate, _>(birth_date)?,
            pass.open_text::<Drug, _>(drug)?,
            pass.open_text::<Directions, _>(directions)?,
            pass.open_text::<Prescriber, _>(prescriber)?,
        ])
    })
    .unwrap()
}

/// The middle one. Sorts them.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints a table whose columns, but for the first, hold numbers.
pub fn print_table(headers: &[&str], rows: &[Vec<String>]) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(headers.to_vec());
    table.add_rows(rows.iter().cloned());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    println!("{table}");
}
