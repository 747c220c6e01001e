//! The fields that an index is made of name it, and no others.

use rxseal::PhiRecord;
use rxseal::phi::{BirthDate, FamilyName, Phone};

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
    #[phi(seal = FamilyName, index = LastAndBorn)]
    last_name: String,
    #[phi(seal = Phone, index = BornOn)]
    phone: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub LastAndBorn = "patient.lastdob": (family(last_name: FamilyName), date(birth_date: BirthDate)), bits 17;
    }
}

fn main() {}
