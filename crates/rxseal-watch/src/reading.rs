//! Reading logs, without verifying them.

use std::io::BufRead;
use std::path::Path;

use crate::chain::split_line;
use crate::error::{Kind, WatchError};
use crate::file_log::{MAX_LINE, number_of};
use crate::logged::{FirstLines, LoggedEvent};
use crate::sink::Line;
use crate::verify::{chain_files, open};

/// Calls `each` with every line of the logs in a folder, chain by chain; the chain that began first comes first. The unfinished last line of a program
/// that was killed is left out. It verifies nothing: [`Verifier`](crate::verify::Verifier) does.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal_watch::WatchError> {
/// rxseal_watch::read_lines("/var/log/pharmacy", |line| println!("{}", line.json()))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `not-read` if a file cannot be read, or a line of it does not belong into a log.
pub fn read_lines(folder: impl AsRef<Path>, mut each: impl FnMut(&Line)) -> Result<(), WatchError> {
    for ((_, chain), path) in chain_files(folder.as_ref())? {
        let failed = |error: std::io::Error| WatchError::file(Kind::Read, &path, &error);
        let malformed = || failed(std::io::ErrorKind::InvalidData.into());
        let mut file = open(&path)?;
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let len = std::io::Read::take(&mut file, MAX_LINE).read_until(b'\n', &mut bytes).map_err(failed)?;
            let Some(line) = bytes.strip_suffix(b"\n") else {
                if u64::try_from(len).unwrap_or(u64::MAX) >= MAX_LINE {
                    return Err(malformed());
                }
                break;
            };
            let (_, json) = split_line(line).ok_or_else(malformed)?;
            let number = number_of(json).ok_or_else(malformed)?;
            let text = str::from_utf8(line).map_err(|_| malformed())?;
            each(&Line::new(chain, number, text.to_owned()));
        }
    }
    Ok(())
}

/// Calls `each` with every event of the logs in a folder, in the order of [`read_lines`]. It verifies nothing.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal_watch::WatchError> {
/// let mut patients = std::collections::BTreeSet::new();
/// rxseal_watch::read_events("/var/log/pharmacy", |event| {
///     if event.is_seen() && event.text("who") == Some("user:kim.rph") {
///         patients.extend(event.patients().map(str::to_owned));
///     }
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of `read_lines`, and `not-read` if a line has no event.
pub fn read_events(folder: impl AsRef<Path>, mut each: impl FnMut(LoggedEvent)) -> Result<(), WatchError> {
    let (mut first_lines, mut result) = (FirstLines::default(), Ok(()));
    read_lines(folder, |line| {
        if result.is_ok() {
            result = first_lines.next(line).map(&mut each);
        }
    })?;
    result
}
