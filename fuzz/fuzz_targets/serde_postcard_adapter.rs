//! Through postcard, a format without names or types. The laws are the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal_fuzz::{Fuzzed, Made, access, changed, made, record};

fuzz_target!(|data: &[u8]| {
    let read = access().run_opening(|| postcard::from_bytes::<Fuzzed>(data));
    let refused = read.err().expect("input without a token of ours was read as a record");
    assert!(!refused.is_api_misuse());
    if let Ok(accepted) = rxseal::accept_plaintext(|| postcard::from_bytes::<Fuzzed>(data)) {
        accepted.assert_no_tokens();
    }
    let Some((made, changes)) = made::<(Made, Vec<u8>)>(data) else { return };
    let Some(value) = made.sealable() else { return };
    let Ok(bytes) = record().run_sealing(|| postcard::to_stdvec(&value)) else { return };
    let read: Fuzzed = access().run_opening(|| postcard::from_bytes(&bytes)).expect("what was sealed");
    made.assert_same(&read);
    assert!(postcard::from_bytes::<Fuzzed>(&bytes).is_err(), "read without a scope");
    let changed = changed(&bytes, &changes);
    if let Ok(read) = access().run_opening(|| postcard::from_bytes::<Fuzzed>(&changed)) {
        made.assert_ours(&read);
    }
});
