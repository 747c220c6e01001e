//! An index is of one record struct, and of its record type.

use rxseal::PhiRecord;
use rxseal::phi::BirthDate;

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
}

rxseal_search::indexes! {
    for Patient as "person" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
    }
}

#[derive(PhiRecord)]
#[phi(record = "prescriber")]
pub struct Prescriber {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
}

fn main() {}
