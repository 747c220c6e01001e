//! A subject has an id as a record has.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(subject)]
    patients: Vec<u64>,
    #[phi(seal = Drug)]
    drug: String,
}

fn main() {}
