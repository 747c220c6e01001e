//! So it is for the variants of an enum.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "order")]
enum Order {
    Fill {
        #[phi(id)]
        id: u64,
    },
    Stop,
    Change(u64, String),
}

#[derive(PhiRecord)]
#[phi(record = "nothing")]
enum Nothing {}

fn main() {}
