//! A word that is misspelt is not passed over.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit", seald = Row)]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(encrypt = Drug)]
    a: String,
    #[phi(rxseal::clear)]
    b: String,
}

fn main() {}
