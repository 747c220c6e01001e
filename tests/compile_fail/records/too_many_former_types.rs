//! A record has at most four.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit", was = "a", was = "b", was = "c", was = "d", was = "e")]
struct Visit {
    #[phi(id)]
    id: u64,
}

#[derive(PhiRecord)]
#[phi(record = "fill", was = "a", was = "fill")]
struct Fill {
    #[phi(id)]
    id: u64,
}

#[derive(PhiRecord)]
#[phi(part, was = "row")]
struct Line {
    #[phi(id)]
    id: u64,
}

fn main() {}
