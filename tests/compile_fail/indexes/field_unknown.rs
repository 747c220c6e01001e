//! The compiler points at the field.

use rxseal::phi::FamilyName;

pub struct Patient {
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub Last = "patient.last": family(lastname: FamilyName), bits 14;
    }
}

fn main() {}
