//! The marker of a field that may be empty is the marker alone: `#[phi(seal = Option<Phone>)]` is where the row's column is said.

use rxseal::phi::Phone;

pub struct Patient {
    phone: Option<String>,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub PhoneIs = "patient.phone": phone(phone: Option<Phone>), bits 17;
    }
}

fn main() {}
