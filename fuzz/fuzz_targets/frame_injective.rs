//! Two lists of parts that differ never have the same bytes (FORMAT 2).
#![no_main]
use libfuzzer_sys::fuzz_target;

type Parts = std::collections::BTreeMap<u8, Vec<u8>>;

fuzz_target!(|input: (Vec<Parts>, Vec<Parts>)| {
    let (a, b) = input;
    let encode = |frames: &[Parts]| rxseal::fuzzing::frames(frames);
    // Tag 0 is the domain's.
    let clean = |frames: Vec<Parts>| -> Vec<Parts> {
        frames.into_iter().map(|mut frame| { frame.remove(&0); frame }).collect()
    };
    let (a, b) = (clean(a), clean(b));
    assert_eq!(a == b, encode(&a) == encode(&b));
});
