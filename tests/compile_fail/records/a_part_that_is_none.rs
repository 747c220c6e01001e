//! A part is a struct with `#[phi(part)]`.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(part = "line")]
    lines: Vec<String>,
    #[phi(part)]
    notes: Vec<String>,
}

#[derive(PhiRecord)]
#[phi(part = "line")]
struct Line {
    #[phi(id)]
    id: u64,
}

fn main() {}
