//! The twin is not the struct.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit", sealed = Visit)]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(clear, attr(phi(clear)))]
    a: String,
    #[phi(clear, attr = 1)]
    b: String,
}

fn main() {}
