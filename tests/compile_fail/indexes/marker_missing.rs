//! Each field is named with its marker.

use rxseal::phi::FamilyName;

pub struct Patient {
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub Last = "patient.last": family(last_name), bits 14;
    }
}

fn main() {}
