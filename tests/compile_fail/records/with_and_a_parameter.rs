//! A value that is written in another way has a type without parameters.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit<T> {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug, with = "hex")]
    a: Vec<T>,
}

fn main() {}
