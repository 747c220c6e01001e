//! Every field that says nothing is reported, not only the first.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    diagnosis: String,
    #[phi(seal = Drug)]
    drug: String,
    /// Docs alone say nothing.
    note: String,
}

fn main() {}
