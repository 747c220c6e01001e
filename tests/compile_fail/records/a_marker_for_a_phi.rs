//! A `Phi` has its marker in its type.

use rxseal::PhiRecord;
use rxseal::Phi;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: Phi<String, Drug>,
}

fn main() {}
