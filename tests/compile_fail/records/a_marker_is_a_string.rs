//! A marker is a type.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = "patient.name")]
    name: String,
    #[phi(seal = 7)]
    age: u8,
    #[phi(seal(Drug))]
    drug: String,
    #[phi(seal = &Drug)]
    other: String,
}

fn main() {}
