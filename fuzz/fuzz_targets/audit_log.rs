//! Any bytes are a chain, or not; and one whose checkpoint was kept elsewhere is not changed before it unnoticed.
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rxseal_fuzz::changed;
use rxseal_fuzz::logs::{CHAIN, Log, NOTE};
use rxseal_watch::verify::Verdict;

static LOG: LazyLock<Log> = LazyLock::new(Log::new);

fuzz_target!(|data: &[u8]| {
    // Unchanged, as the good file that was changed in a few places, and behind it.
    let spelled = changed(CHAIN.as_bytes(), data);
    let behind = [CHAIN.as_bytes(), data].concat();
    for file in [data, &spelled, &behind] {
        let report = LOG.verify(file, NOTE.as_bytes());
        let whole = file.iter().filter(|byte| **byte == b'\n').count();
        assert!(usize::try_from(report.events()).is_ok_and(|lines| lines <= whole));
        let is_good = file.starts_with(CHAIN.as_bytes());
        assert!(is_good || report.verdict() == Verdict::Tampered, "a change was not noticed");
        // Behind its last line there is nothing.
        assert_eq!(report.verdict() == Verdict::Whole, file == CHAIN.as_bytes());
    }
});
