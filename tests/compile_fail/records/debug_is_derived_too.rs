//! A derived `Debug` prints patients.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord, Debug)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
}

fn main() {}
