//! Through JSON: a made-up record comes back, hostile JSON is never read as a record in any scope, and only sealed
//! values are read from a changed record.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal_fuzz::{Fuzzed, Made, access, changed, made, record};

fuzz_target!(|data: &[u8]| {
    // `name` is not optional: nothing can be read without a token of ours in it.
    let read = access().run_opening(|| serde_json::from_slice::<Fuzzed>(data));
    let refused = read.err().expect("input without a token of ours was read as a record");
    assert!(!refused.is_api_misuse());
    if let Ok(accepted) = rxseal::accept_plaintext(|| serde_json::from_slice::<Fuzzed>(data)) {
        accepted.assert_no_tokens();
    }
    let Some((made, changes)) = made::<(Made, Vec<u8>)>(data) else { return };
    let Some(value) = made.sealable() else { return };
    let Ok(json) = record().run_sealing(|| serde_json::to_vec(&value)) else { return };
    let read: Fuzzed = access().run_opening(|| serde_json::from_slice(&json)).expect("what was sealed");
    made.assert_same(&read);
    assert!(serde_json::from_slice::<Fuzzed>(&json).is_err(), "read without a scope");
    assert!(
        rxseal::accept_plaintext(|| serde_json::from_slice::<Fuzzed>(&json)).is_err(),
        "tokens taken for plaintext"
    );
    let changed = changed(&json, &changes);
    if let Ok(read) = access().run_opening(|| serde_json::from_slice::<Fuzzed>(&changed)) {
        made.assert_ours(&read);
    }
});
