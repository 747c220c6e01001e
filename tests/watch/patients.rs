//! A record with a patient, two classes and an index.

use rxseal::phi::{BirthDate, Drug, FamilyName};
use rxseal::{Keyring, PhiRecord};

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    pub id: u64,
    #[phi(seal = FamilyName)]
    pub last_name: String,
    #[phi(seal = BirthDate, index = BornOn)]
    pub birth_date: String,
    #[phi(seal = Drug)]
    pub drug: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
    }
}

/// What is in every patient, and must be in no log.
pub const CANARY: &str = "Zoraida-Quux";

pub fn rows(keys: &Keyring, count: u64) -> Vec<SealedPatient> {
    let patient =
        |id| Patient { id, last_name: CANARY.into(), birth_date: "1970-01-31".into(), drug: format!("{CANARY} 5 MG") };
    keys.seal_all(&(1..=count).map(patient).collect::<Vec<_>>()).unwrap()
}
