//! `Option<Marker>` is for an `Option`.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Option<Drug>)]
    drug: String,
}

fn main() {}
