//! Every index of the list has a column, or a row would not be found by it.

use rxseal::PhiRecord;
use rxseal::phi::{BirthDate, Phone};

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
    #[phi(seal = Phone)]
    phone: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub PhoneIs = "patient.phone": phone(phone: Phone), bits 17;
    }
}

#[derive(PhiRecord)]
#[phi(record = "person")]
pub struct Person {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate)]
    birth_date: String,
}

rxseal_search::indexes! {
    for Person as "person" {
        pub PersonBornOn = "person.born": date(birth_date: BirthDate), bits 14;
    }
}

fn main() {}
