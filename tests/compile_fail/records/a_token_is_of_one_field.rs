//! The tokens of two fields have two types, so a program cannot mix them up.

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug};

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Directions)]
    directions: String,
}

fn mixed_up(mut row: SealedVisit) -> SealedVisit {
    std::mem::swap(&mut row.drug, &mut row.directions);
    row
}

fn main() {}
