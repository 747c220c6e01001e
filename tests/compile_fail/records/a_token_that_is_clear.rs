//! No count and no reseal would see such a token.

use rxseal::phi::{Directions, Drug, Note};
use rxseal::{Phi, PhiRecord, Sealed};

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(clear)]
    drug: Sealed<String, Drug>,
    #[phi(clear)]
    notes: Option<Vec<Sealed<String, Note>>>,
    #[phi(clear)]
    directions: Phi<String, Directions>,
}

fn main() {}
