//! What the core would refuse at run time.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "Patient Visit", was = "visit/2")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(part = "")]
    lines: Vec<u8>,
    #[phi(clear, bind = "Status")]
    status: u8,
    #[phi(record_tag)]
    tag: rxseal::RecordTag,
}

#[derive(PhiRecord)]
#[phi(record = Fill)]
struct Fill {
    #[phi(id)]
    id: u64,
}

fn main() {}
