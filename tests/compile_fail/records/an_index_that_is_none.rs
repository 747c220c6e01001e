//! A field's marker is not an index of the field.

use rxseal::PhiRecord;
use rxseal::phi::BirthDate;

#[derive(PhiRecord)]
#[phi(record = "patient")]
struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BirthDate as born_ix)]
    birth_date: String,
}

fn main() {}
