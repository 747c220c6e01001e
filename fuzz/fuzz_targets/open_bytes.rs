//! Nothing that this process did not seal opens under its keys, also with a genuine header.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::{Token, phi::Drug};
use rxseal_fuzz::{access, record};

const CODES: [&str; 2] = ["open-failed", "unknown-key"];

fuzz_target!(|bytes: &[u8]| {
    let genuine = record().seal::<Drug>("warfarin 5 MG").expect("a token");
    // As it came; behind the header of a genuine token; and mixed into one.
    let behind_header = [&genuine.as_bytes()[..9], bytes].concat();
    let mut mixed = genuine.as_bytes().to_vec();
    let changed = mixed.iter_mut().skip(9).zip(bytes).fold(false, |changed, (to, from)| {
        *to ^= from;
        changed || *from != 0
    });
    for (candidate, is_ours) in [(bytes.to_vec(), false), (behind_header, false), (mixed, !changed)] {
        let Ok(token) = Token::try_from(candidate) else { continue };
        match access().open::<Drug, String>(&token) {
            Ok(value) => assert!(is_ours && value == "warfarin 5 MG", "a token that nobody sealed was opened"),
            Err(error) => {
                assert!(CODES.contains(&error.code()) && !error.is_api_misuse());
                assert!(!is_ours, "our own token does not open");
            }
        }
    }
});
