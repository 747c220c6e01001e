//! Nor does it borrow what is static.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(clear)]
    status: &'static str,
    #[phi(clear)]
    days: Vec<&'static [u8]>,
}

fn main() {}
