//! A date is no number, and a list is not one value.

use rxseal::phi::{BirthDate, FamilyName};

pub struct Patient {
    born: u32,
    last_names: Vec<String>,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(born: BirthDate), bits 14;
        pub Last = "patient.last": family(last_names: FamilyName), bits 14;
    }
}

fn main() {}
