//! The text lists those that there are.

use rxseal::phi::FamilyName;

pub struct Patient {
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub Last = "patient.last": family(last_name: FamilyName), bits 14, sorted;
    }
}

fn main() {}
