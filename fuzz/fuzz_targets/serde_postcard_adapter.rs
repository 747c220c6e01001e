//! Through postcard, a format without names or types: the same laws.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal_fuzz::{Fuzzed, Made, access, record};

fuzz_target!(|input: (Made, &[u8])| {
    let (made, hostile) = input;
    if let Some(value) = made.sealable()
        && let Ok(bytes) = record().run_sealing(|| postcard::to_stdvec(&value))
    {
        let read: Fuzzed = access().run_opening(|| postcard::from_bytes(&bytes)).expect("what was sealed");
        made.assert_same(&read);
        assert!(postcard::from_bytes::<Fuzzed>(&bytes).is_err(), "read without a scope");
    }
    let read = access().run_opening(|| postcard::from_bytes::<Fuzzed>(hostile));
    assert!(read.is_err(), "input without a token of ours was read as a record");
    let _ = rxseal::accept_plaintext(|| postcard::from_bytes::<Fuzzed>(hostile));
});
