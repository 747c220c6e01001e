//! Any text is a file of checkpoints, or not; only the good one covers the chain, in its one spelling; and so have signed digests and a key.
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rxseal_fuzz::changed;
use rxseal_fuzz::logs::{CHAIN, KEY, Log, NOTE, SUMS};
use rxseal_watch::verify::Verdict;
use rxseal_watch::{SignedSums, SigningKey, VerifierKey};

static LOG: LazyLock<Log> = LazyLock::new(Log::new);

fuzz_target!(|data: &[u8]| {
    let spelled = changed(NOTE.as_bytes(), data);
    for notes in [data, &spelled] {
        let is_whole = LOG.verify(CHAIN.as_bytes(), notes).verdict() == Verdict::Whole;
        let text = String::from_utf8_lossy(notes);
        assert!(!is_whole || text.contains(NOTE), "something else covered the chain");
        assert!(is_whole || text != NOTE);
    }
    let key = [KEY.parse::<VerifierKey>().expect("it is that of the vector")];
    for sums in [data.to_vec(), changed(SUMS.as_bytes(), data)] {
        let text = String::from_utf8_lossy(&sums);
        assert_eq!(
            SignedSums::open(&text, &key).is_ok(),
            text == SUMS,
            "other digests were taken for those that were signed"
        );
    }
    if let Ok(text) = std::str::from_utf8(data) {
        // A file ends in a line end.
        let text = text.trim_end_matches('\n');
        if let Ok(key) = text.parse::<VerifierKey>() {
            assert_eq!(key.to_string(), text);
        }
        if let Ok(key) = text.parse::<SigningKey>() {
            assert_eq!(key.expose_text().as_str(), text);
        }
    }
});
