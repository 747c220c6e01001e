//! A part could be moved from one list to the other, even under a record tag.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(part)]
struct Medication {
    #[phi(id)]
    line_no: u32,
    #[phi(seal = Drug)]
    drug: String,
}

#[derive(PhiRecord)]
#[phi(record = "chart")]
struct Chart {
    #[phi(id)]
    id: u64,
    #[phi(part = "medication")]
    current: Vec<Medication>,
    #[phi(part = "medication")]
    stopped: Vec<Medication>,
}

fn main() {}
