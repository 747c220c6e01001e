//! Nothing would notice a change of the field.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(clear, bind = "rx.refills")]
    refills: u8,
}

// These have the tag of their record, or none of their own.
#[derive(PhiRecord)]
#[phi(part)]
struct Line {
    #[phi(id)]
    id: u64,
    #[phi(clear, bind = "line.refills")]
    refills: u8,
}

#[derive(PhiRecord)]
#[phi(nested)]
struct Address {
    #[phi(clear, bind = "address.city")]
    city: String,
}

#[derive(PhiRecord)]
#[phi(record = "visit", projection)]
struct Refills {
    #[phi(id)]
    id: u64,
    #[phi(clear, bind = "rx.refills")]
    refills: u8,
}

fn main() {}
