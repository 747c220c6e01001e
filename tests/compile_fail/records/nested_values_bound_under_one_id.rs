//! Two nested structs share the record's context, and so the ids that values are bound under.

use rxseal::{PhiRecord, RecordTag};

#[derive(PhiRecord)]
#[phi(nested)]
struct Address {
    #[phi(clear, bind = "address.country")]
    country: Option<String>,
}

#[derive(PhiRecord)]
#[phi(record = "patient")]
struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(nested)]
    home: Address,
    #[phi(nested)]
    work: Address,
    #[phi(record_tag)]
    tag: RecordTag,
}

fn main() {}
