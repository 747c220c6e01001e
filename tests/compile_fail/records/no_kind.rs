//! A struct says what it is.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
struct Visit {
    #[phi(id)]
    id: u64,
}

#[derive(PhiRecord)]
#[phi(record = "fill", nested)]
struct Fill {
    #[phi(id)]
    id: u64,
}

fn main() {}
