//! Through JSON: what is made up comes back, and hostile JSON is never read as a record, in no scope.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal_fuzz::{Fuzzed, Made, access, record};

fuzz_target!(|input: (Made, &[u8])| {
    let (made, hostile) = input;
    if let Some(value) = made.sealable()
        && let Ok(json) = record().run_sealing(|| serde_json::to_vec(&value))
    {
        let read: Fuzzed = access().run_opening(|| serde_json::from_slice(&json)).expect("what was sealed");
        made.assert_same(&read);
        assert!(serde_json::from_slice::<Fuzzed>(&json).is_err(), "read without a scope");
    }
    // `name` is not optional: without a token of ours in it nothing can be read.
    let read = access().run_opening(|| serde_json::from_slice::<Fuzzed>(hostile));
    assert!(read.is_err(), "input without a token of ours was read as a record");
    assert!(!read.err().is_some_and(|error| error.is_api_misuse()));
    let _ = rxseal::accept_plaintext(|| serde_json::from_slice::<Fuzzed>(hostile));
});
