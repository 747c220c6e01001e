//! A sealed type parameter needs the bounds of serde.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit<T> {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    dose: T,
}

fn main() {}
