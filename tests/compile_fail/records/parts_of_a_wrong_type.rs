//! A part is a struct with `#[phi(part)]`, alone or in a `Vec` or an `Option`.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(part = "line")]
    lines: Vec<String>,
}

fn main() {}
