//! A field is sealed once.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit", derive(serde::Serialize, serde::Deserialize))]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    #[serde(with = "rxseal::Sealing::<Drug>")]
    drug: String,
}

fn main() {}
