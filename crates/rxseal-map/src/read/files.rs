//! Which files a pattern names, and reading each.

use std::fs::File;
use std::path::Path;

use rxseal::Error;

use crate::source::Source;

/// Opens every file of the pattern, and gives it to `read`. Answers how many there are.
pub(super) fn each(
    source: &Source,
    pattern: &str,
    mut read: impl FnMut(File) -> Result<(), String>,
) -> Result<usize, Error> {
    let wrong = |path: &Path, what: String| Error::from_store(false, format!("{}: {what}", path.display()));
    let paths = glob::glob(pattern).map_err(|error| wrong(Path::new(pattern), error.msg.to_owned()))?;
    let mut files = 0_usize;
    for path in paths {
        // A folder that may not be read could have more files.
        let path = path.map_err(|error| wrong(error.path(), error.error().to_string()))?;
        if path.is_dir() {
            continue;
        }
        let file = File::open(&path).map_err(|error| wrong(&path, error.to_string()))?;
        read(file).map_err(|what| wrong(&path, what))?;
        files = files.saturating_add(1);
    }
    if files == 0 && !source.empty().is_all() {
        let text =
            "no file has such a name. Is it the right folder? If there should be none, say `empty = true` in the map";
        return Err(wrong(Path::new(pattern), text.to_owned()));
    }
    Ok(files)
}
