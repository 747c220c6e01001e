//! A record and a part need an id.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(seal = Drug)]
    drug: String,
}

#[derive(PhiRecord)]
#[phi(part)]
struct Line {
    #[phi(seal = Drug)]
    drug: String,
}

fn main() {}
