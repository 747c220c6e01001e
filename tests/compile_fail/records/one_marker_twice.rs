//! Two fields of one marker could be swapped.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Drug>)]
    other: Option<String>,
}

fn main() {}
