//! Ids, subjects and tags belong to what has them.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(nested)]
struct Address {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    street: String,
}

#[derive(PhiRecord)]
#[phi(part)]
struct Line {
    #[phi(id)]
    number: u64,
    #[phi(subject)]
    patient: u64,
    #[phi(record_tag)]
    tag: u64,
}

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    number: u64,
    #[phi(subject)]
    patient: u64,
    #[phi(subject)]
    doctor: u64,
}

fn main() {}
