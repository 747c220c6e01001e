//! A former definition says what differed.

use rxseal::phi::FamilyName;

pub struct Patient {
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub Last = "patient.last": family(last_name: FamilyName), bits 14, formerly [];
    }
}

fn main() {}
