//! They go to the twin, which must derive serde.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
#[serde(rename_all = "camelCase")]
struct Visit {
    #[phi(id)]
    #[serde(rename = "no")]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
}

fn main() {}
