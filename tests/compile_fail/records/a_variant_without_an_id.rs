//! Each variant has an id of its own.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "order")]
enum Order {
    Fill {
        #[phi(id)]
        id: u64,
    },
    Stop {
        #[phi(seal = Drug)]
        drug: String,
    },
    #[phi(clear)]
    Change {
        #[phi(id)]
        id: u64,
    },
}

fn main() {}
