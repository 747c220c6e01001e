//! What is readable is copied into the row.

use rxseal::PhiRecord;

struct Status(u8);

#[derive(PhiRecord)]
#[phi(record = "visit", no_debug)]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(clear)]
    status: Status,
}

fn main() {}
