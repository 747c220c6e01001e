//! A marker is declared with `fields!`.

use rxseal::PhiRecord;

struct NotAMarker;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = NotAMarker)]
    name: String,
}

fn main() {}
