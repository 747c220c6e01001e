//! Two variants may have the same fields, so the tag has to cover which one it is.

use rxseal::phi::Drug;
use rxseal::{PhiRecord, RecordTag};

#[derive(PhiRecord)]
#[phi(record = "order")]
enum Order {
    Active {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(record_tag)]
        tag: RecordTag,
    },
    Stopped {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(record_tag)]
        tag: RecordTag,
    },
}

#[derive(PhiRecord)]
#[phi(nested, bind = "address.kind")]
struct Address {
    #[phi(clear)]
    city: String,
}

#[derive(PhiRecord)]
#[phi(record = "event", bind = "event.kind")]
enum Event {
    Visit {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
    },
}

fn main() {}
