//! The index would keep the value of before.

use rxseal::phi::{BirthDate, FamilyName};
use rxseal::{Keyring, PhiRecord, SealedRecord};

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
    #[phi(seal = FamilyName)]
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
    }
}

fn set(row: &SealedPatient, keys: &Keyring) {
    let _ = row.set::<FamilyName>(keys, &"Smith".to_owned());
    let _ = row.set::<BirthDate>(keys, &"1970-01-31".to_owned());
}

fn main() {}
