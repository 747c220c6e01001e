//! The struct of all columns has no default.

use rxseal::phi::BirthDate;

pub struct Patient {
    birth_date: String,
    baptized: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub BaptizedOn = "patient.baptized": date(baptized: BirthDate), bits 14;
    }
}

fn main() {
    let _ = PatientIndexes { born_on: None, ..Default::default() };
}
