//! An id is text, a whole number or a uuid.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: f64,
    #[phi(seal = Drug)]
    drug: String,
}

#[derive(PhiRecord)]
#[phi(record = "fill")]
struct Fill {
    #[phi(id)]
    store: u32,
    #[phi(id)]
    numbers: Vec<u64>,
    #[phi(seal = Drug)]
    drug: String,
}

#[derive(PhiRecord)]
#[phi(part)]
struct Line {
    #[phi(id)]
    line_no: bool,
    #[phi(seal = Drug)]
    drug: String,
}

fn main() {}
