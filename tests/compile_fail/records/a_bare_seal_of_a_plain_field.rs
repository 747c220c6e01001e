//! Only a `Phi` has a marker of its own.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal)]
    drug: String,
}

fn main() {}
