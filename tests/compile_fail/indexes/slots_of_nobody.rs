//! A slot is a person's, so there is no default.

use rxseal::phi::FamilyName;

pub struct Patient {
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub Last = "patient.last": family(last_name: FamilyName), bits 14, slots us_surnames_1;
    }
}

fn main() {}
