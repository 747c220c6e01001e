//! Which files a place has, and whether they are as the thief saw them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rxseal_map::{At, Source};

use crate::model::Doubt;
use crate::rule::Held;

/// The files of a place.
pub(crate) fn files(at: &At) -> Vec<PathBuf> {
    match at {
        At::Sqlite { file, .. } => vec![file.clone()],
        At::Ndjson { glob } | At::Csv { glob } => {
            glob::glob(glob).into_iter().flatten().flatten().filter(|path| !path.is_dir()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a source is as the thief saw it: files that did not change since, in folders from which none was taken away since.
pub(crate) fn unchanged(source: &Source, at: Option<u64>, doubts: &mut Vec<Doubt>) -> Held {
    let pattern = match source.at() {
        At::Ndjson { glob } | At::Csv { glob } => Some(glob),
        _ => None,
    };
    let is_file = pattern.is_some();
    let files = files(source.at());
    let is_old = |path: &PathBuf, at: u64| changed(path).is_some_and(|changed| changed <= at);
    let folders = pattern.and_then(|pattern| folders(pattern));
    let is_unchanged =
        |at| folders.as_ref().is_some_and(|folders| files.iter().chain(folders).all(|path| is_old(path, at)));
    if !files.is_empty() && at.is_some_and(is_unchanged) {
        return Held::Taken;
    }
    let (code, text) = match (is_file, at) {
        (false, _) => (
            "live-database",
            "it is a database as it is now, and not the copy that was taken: give the copy, or a backup of that time, as data:COPY=SOURCE",
        ),
        (true, None) => (
            "time-missing",
            "nobody said when it was taken, so its files may have changed since: add @TIME, or give the copy as data:COPY=SOURCE",
        ),
        (true, Some(_)) => (
            "changed-since",
            "its files are not there, or they or their folders changed after they were taken, so some may be gone: give the copy, or a backup of that time, as data:COPY=SOURCE",
        ),
    };
    doubts.push(Doubt { code, place: Some(source.name().to_owned()), count: None, text: text.to_owned() });
    Held::Unknown
}

/// The folders in which a pattern looks for names. `None` if one of them cannot be read.
fn folders(pattern: &str) -> Option<BTreeSet<PathBuf>> {
    let mut all = BTreeSet::new();
    let mut before = String::new();
    let mut is_in_pattern = false;
    for part in pattern.split('/') {
        // A name with an escaped `[` counts as a pattern: rather a folder too many than one too few.
        is_in_pattern |= part.contains(['*', '?', '[']);
        if is_in_pattern {
            let at = if before.is_empty() { "." } else { before.as_str() };
            for folder in glob::glob(at).ok()? {
                let folder = folder.ok()?;
                if folder.is_dir() && part == "**" {
                    add_with_all_in_it(&folder, &mut all)?;
                } else if folder.is_dir() {
                    all.insert(fs::canonicalize(folder).ok()?);
                }
            }
        }
        before.push_str(part);
        before.push('/');
    }
    Some(all)
}

/// Links are followed, as patterns follow them, and may lead back.
fn add_with_all_in_it(folder: &Path, all: &mut BTreeSet<PathBuf>) -> Option<()> {
    let mut left = vec![fs::canonicalize(folder).ok()?];
    while let Some(folder) = left.pop() {
        if all.contains(&folder) {
            continue;
        }
        for entry in fs::read_dir(&folder).ok()? {
            let path = entry.ok()?.path();
            if path.is_dir() {
                left.push(fs::canonicalize(path).ok()?);
            }
        }
        all.insert(folder);
    }
    Some(())
}

fn changed(path: &Path) -> Option<u64> {
    let time = fs::metadata(path).ok()?.modified().ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
