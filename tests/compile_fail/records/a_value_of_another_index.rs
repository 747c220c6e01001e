//! A column holds values of its own index.

use rxseal::PhiRecord;
use rxseal::phi::{BirthDate, Phone};

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
    #[phi(seal = Phone, index = PhoneIs)]
    phone: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub PhoneIs = "patient.phone": phone(phone: Phone), bits 17;
    }
}

fn swap(row: &mut SealedPatient) {
    row.born_on = row.phone_is;
}

fn main() {}
