//! Each option belongs to a kind of field.

use rxseal::PhiRecord;
use rxseal::phi::Drug;

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug, bind = "rx.drug")]
    a: String,
    #[phi(clear, with = "hex")]
    b: String,
    #[phi(clear, since = 2)]
    c: String,
    #[phi(clear, bind = "rx.c", since = 1)]
    d: String,
    #[phi(clear, scale = 2)]
    e: String,
    #[phi(seal, with = "hex")]
    f: String,
    #[phi(clear, bind = "rx.g")]
    g: String,
    #[phi(clear, bind = "rx.g")]
    h: String,
    #[phi(record_tag)]
    tag: rxseal::RecordTag,
}

fn main() {}
