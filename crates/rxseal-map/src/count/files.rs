//! Which files a pattern names, and reading each.

use std::fs::File;
use std::path::Path;

use rxseal::Error;

use super::tally::Tally;
use crate::source::Source;

/// Reads every file of the pattern.
pub(super) fn each(
    source: &Source,
    pattern: &str,
    mut tally: Tally,
    read: impl Fn(File, &mut Tally) -> Result<(), String>,
) -> Result<Tally, Error> {
    let wrong = |path: &Path, what: String| Error::from_store(false, format!("{}: {what}", path.display()));
    let paths = glob::glob(pattern).map_err(|error| wrong(Path::new(pattern), error.msg.to_owned()))?;
    for path in paths {
        // A folder that may not be read could have more files.
        let path = path.map_err(|error| wrong(error.path(), error.error().to_string()))?;
        if path.is_dir() {
            continue;
        }
        let file = File::open(&path).map_err(|error| wrong(&path, error.to_string()))?;
        read(file, &mut tally).map_err(|what| wrong(&path, what))?;
        tally.files = tally.files.saturating_add(1);
    }
    if tally.files == 0 && !source.empty().is_all() {
        let text =
            "no file has such a name. Is it the right folder? If there should be none, say `empty = true` in the map";
        return Err(wrong(Path::new(pattern), text.to_owned()));
    }
    Ok(tally)
}
