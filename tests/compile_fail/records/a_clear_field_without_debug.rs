//! What is readable is printed by `Debug`.

use rxseal::PhiRecord;

#[derive(Clone)]
struct Status(u8);

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(clear)]
    status: Status,
}

fn main() {}
