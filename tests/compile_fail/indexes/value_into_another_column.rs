//! A column of one index takes no value of another.

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

fn exchanged(columns: PatientIndexes) -> PatientIndexes {
    PatientIndexes { born_on: columns.baptized_on, baptized_on: columns.born_on }
}

fn main() {}
