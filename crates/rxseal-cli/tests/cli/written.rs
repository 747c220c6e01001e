//! Logs that a test writes itself, line by line, since it needs times and texts of its choice. A reader that does not verify takes them.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes the chain of one program. A line is its time, in Unix milliseconds, and its members from `e` on.
pub fn write_chain(log: &Path, chain: u64, lines: &[(u64, String)]) {
    fs::create_dir_all(log).unwrap();
    let (hash, start) = ("A".repeat(43), lines[0].0);
    let line = |(n, (t, rest)): (usize, &(u64, String))| {
        format!("{hash} {{\"n\":{n},\"t\":{t},\"m\":{},{rest}}}\n", t.saturating_sub(start))
    };
    let text: String = lines.iter().enumerate().map(line).collect();
    fs::write(log.join(format!("{start:013}-{chain:016x}.rxa")), text).unwrap();
}

/// Now, in Unix milliseconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}
