//! A nested struct shares the context of what contains it.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(nested)]
    past: Past,
}

#[derive(PhiRecord)]
#[phi(nested)]
struct Past {
    #[phi(seal = Drug)]
    drug: String,
}

fn main() {}
