//! What is sealed is written by serde.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

struct Dose(u8);

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    dose: Dose,
}

fn main() {}
