//! Two nested structs share the record's context, and so the names of its parts.

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
#[phi(nested)]
struct Plan {
    #[phi(part = "medication")]
    medications: Vec<Medication>,
}

#[derive(PhiRecord)]
#[phi(record = "chart")]
struct Chart {
    #[phi(id)]
    id: u64,
    #[phi(nested)]
    current: Plan,
    #[phi(nested)]
    stopped: Plan,
}

fn main() {}
