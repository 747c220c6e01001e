//! A record owns its fields.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit<'a> {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: &'a str,
}

fn main() {}
