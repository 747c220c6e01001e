//! Times as people read them.

use std::time::{Duration, UNIX_EPOCH};

/// `2026-09-03T14:02:11Z`
pub(super) fn shown(seconds: u64) -> String {
    // Later times have no such form.
    const LAST: u64 = 253_402_300_799;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.min(LAST)));
    time.map_or_else(String::new, |time| humantime::format_rfc3339_seconds(time).to_string())
}

/// `2026-09-03`
pub(super) fn day(seconds: u64) -> String {
    shown(seconds).split('T').next().unwrap_or_default().to_owned()
}
