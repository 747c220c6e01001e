//! A field is one of them.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug, clear)]
    a: String,
    #[phi(clear)]
    #[phi(nested)]
    b: String,
    #[phi(clear, clear)]
    c: String,
}

fn main() {}
