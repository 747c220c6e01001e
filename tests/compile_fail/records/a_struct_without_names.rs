//! Each field says what becomes of it, so it has a name.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit(u64, String);

#[derive(PhiRecord)]
#[phi(record = "empty")]
struct Empty;

#[derive(PhiRecord)]
#[phi(record = "either")]
union Either {
    number: u32,
    bits: f32,
}

fn main() {}
