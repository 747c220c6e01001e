//! How many copies of a large value are in memory at once.

use std::hint::black_box;

use rxseal::Phi;
use rxseal::keys::{Backend, Suite};
use serde::{Deserialize, Serialize};

use crate::common::heap::{Heap, watch};
use crate::common::{self, print_table};
use crate::{ADDED, Bytes, KIB, Scan, value};

/// A row with a scan in it.
#[derive(Serialize, Deserialize)]
struct Document {
    pages: u8,
    scan: Phi<Bytes, Scan>,
}

/// Bytes on the heap during each call, and afterwards with its result, beyond its input: as multiples of the value.
pub fn count(backend: Backend, size: usize) {
    let keys = common::unlocked_with(Suite::default(), backend).unobserved();
    let record = keys.record("prescription", common::RECORD_ID).unwrap();
    let open = record.opened_by(&common::access());
    let value = value(size);
    let token = record.seal::<Scan>(&value).unwrap();
    let text = token.to_string();
    let document = Document { pages: 2, scan: Phi::new(crate::value(size)) };
    let postcard = postcard::to_allocvec(&record.sealing(&document)).unwrap();
    let room = || Vec::with_capacity(size + ADDED);
    let with = |mut buffer: Vec<u8>, bytes: &[u8]| {
        buffer.extend_from_slice(bytes);
        buffer
    };
    let seal_in_place = |buffer: &mut Vec<u8>| record.seal_fields(|pass| pass.seal_in_place::<Scan>(buffer)).unwrap();
    let seal_into = |out: &mut Vec<u8>| record.seal_fields(|pass| pass.seal_into::<Scan>(&value, out)).unwrap();
    let open_in_place = |buffer: &mut Vec<u8>| open.open_fields(|pass| pass.open_in_place::<Scan>(buffer)).unwrap();
    let open_into = |out: &mut Vec<u8>| open.open_fields(|pass| pass.open_into::<Scan>(token.as_bytes(), out)).unwrap();
    let reseal_into = |out: &mut Vec<u8>| {
        record.reseal_fields(|pass| pass.reseal_into::<Scan>(token.as_bytes(), out)).unwrap();
    };
    let mut text_room = String::with_capacity(2 * size);
    let rows = [
        ("seal_in_place", on(with(room(), &value.0), seal_in_place)),
        ("seal_in_place, no room in the buffer", on(value.0.clone(), seal_in_place)),
        ("seal_into, with room", on(room(), seal_into)),
        ("seal_into, without", on(Vec::new(), seal_into)),
        ("seal (a Token)", of(|| record.seal::<Scan>(&value).unwrap())),
        ("seal_text_into, with room", {
            of(|| record.seal_fields(|pass| pass.seal_text_into::<Scan>(&value, &mut text_room)).unwrap())
        }),
        ("seal_text (a String)", of(|| record.seal_text::<Scan>(&value).unwrap())),
        ("open_in_place", on(with(room(), token.as_bytes()), open_in_place)),
        ("open_into, with room", on(room(), open_into)),
        ("open_into, without", on(Vec::new(), open_into)),
        ("open (a value of its own)", of(|| open.open::<Scan, Bytes>(&token).unwrap())),
        ("open_text (a value of its own)", of(|| open.open_text::<Scan, Bytes>(&text).unwrap())),
        ("reseal_into, with room", on(room(), reseal_into)),
        ("reseal (a Token)", of(|| record.reseal::<Scan>(&token).unwrap())),
        ("postcard of a struct with a Phi, written", {
            of(|| postcard::to_allocvec(&record.sealing(&document)).unwrap())
        }),
        ("postcard of a struct with a Phi, read", {
            of(|| open.run_opening(|| postcard::from_bytes::<Document>(&postcard)).unwrap())
        }),
    ];
    let times = |bytes: i64| format!("{:.2}", bytes.max(0) as f64 / size as f64);
    let rows = rows.map(|(call, heap)| vec![call.to_owned(), times(heap.peak), times(heap.left)]);
    println!("{backend:?}: heap beyond what the call was given, as multiples of a value of {} KiB\n", size / KIB);
    print_table(&["call", "at its peak", "kept as result"], &rows);
    println!();
    assert!(document.pages == 2 && *document.scan.expose_phi() == value);
}

fn on(mut buffer: Vec<u8>, call: impl FnOnce(&mut Vec<u8>)) -> Heap {
    let ((), heap) = watch(|| call(&mut buffer));
    black_box(buffer);
    heap
}

fn of<T>(call: impl FnOnce() -> T) -> Heap {
    let (result, heap) = watch(call);
    drop(black_box(result));
    heap
}
