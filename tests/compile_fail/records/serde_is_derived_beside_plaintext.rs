//! A struct that is written as plaintext is written so in a scope, or not at all.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord, serde::Serialize)]
#[phi(record = "visit", plaintext)]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    a: String,
}

fn main() {}
