//! A nested struct has a twin of its own.

use rxseal::PhiRecord;

#[derive(Clone, Debug)]
struct Address {
    street: String,
}

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(nested)]
    address: Address,
}

fn main() {}
