//! Which copies and which sources are read, and the files that they are.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rxseal_map::__private::said;
use rxseal_map::{Map, Source};
use sha2::{Digest as _, Sha256};

use crate::error::ExposureError;
use crate::model::{Doubt, Input};
use crate::rule::Held;
use crate::stolen::KINDS;
use crate::unchanged::unchanged;

/// The sources that a stolen thing names: the name in the map, the state that is to be read, and how sure it is that it is what the thief has.
pub(crate) fn taken(
    map: &Map,
    what: &str,
    of: Option<&str>,
    at: Option<u64>,
    doubts: &mut Vec<Doubt>,
) -> Result<Vec<(String, Source, Held)>, ExposureError> {
    let named = |name: &str| -> Vec<&Source> {
        let in_file = format!("{name}#");
        let is_it = |source: &&Source| source.name() == name || source.name().starts_with(&in_file);
        map.sources().iter().filter(is_it).collect()
    };
    if let Some(of) = of {
        let sources = named(of);
        if sources.is_empty() {
            return Err(ExposureError::usage(format!(
                "the map has no source {of:?}: write it as the map does after `at`"
            )));
        }
        return sources
            .into_iter()
            .map(|source| Ok((source.name().to_owned(), copy_of(source, what)?, Held::Taken)))
            .collect();
    }
    let own = named(what);
    if !own.is_empty() {
        return Ok(own
            .into_iter()
            .map(|source| (source.name().to_owned(), source.clone(), unchanged(source, at, doubts)))
            .collect());
    }
    match map.sources() {
        [source] => Ok(vec![(source.name().to_owned(), copy_of(source, what)?, Held::Taken)]),
        _ => Err(ExposureError::usage(format!(
            "{what:?} is no source of the map: of which one is it a copy? Write data:{what}=SOURCE, as the map writes it after `at`"
        ))),
    }
}

/// The source in a copy: `csv:dump.csv`, `sqlite:copy.db#rx`, or a file whose ending says what it is.
fn copy_of(source: &Source, what: &str) -> Result<Source, ExposureError> {
    let table = source.at().table().map(|table| table.rsplit('.').next().unwrap_or(table));
    let mut place = if KINDS.iter().any(|kind| what.starts_with(kind)) {
        what.to_owned()
    } else {
        let ending = Path::new(what).extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("csv") => format!("csv:{}", glob::Pattern::escape(what)),
            Some("ndjson" | "jsonl" | "json") => format!("ndjson:{}", glob::Pattern::escape(what)),
            Some("sqlite" | "sqlite3" | "db") => format!("sqlite:{what}"),
            _ => {
                let text =
                    "what form has it? Write data:csv:FILE=SOURCE, data:ndjson:FILE=SOURCE or data:sqlite:FILE=SOURCE";
                return Err(ExposureError::usage(format!("{what:?}: {text}")));
            }
        }
    };
    if place.starts_with("sqlite:") && !place.contains('#') {
        let table = table.ok_or_else(|| {
            ExposureError::usage(format!("{what:?}: which table? Write data:sqlite:FILE#TABLE=SOURCE"))
        })?;
        place = format!("{place}#{table}");
    }
    source.in_copy(&place).map_err(|error| ExposureError::usage(format!("{what:?}: {}", said(&error))))
}

/// A file with its SHA-256. If it cannot be read, who reads its rows says so.
pub(crate) fn input(path: &Path) -> Input {
    let (sha256, bytes) = digest(path).unzip();
    Input { name: path.display().to_string(), sha256, bytes }
}

/// A text that was read already.
pub(crate) fn input_of_digest(name: String, digest: &[u8]) -> Input {
    Input { name, sha256: Some(hex::encode(digest)), bytes: None }
}

fn digest(path: &Path) -> Option<(String, u64)> {
    let mut file = File::open(path).ok()?;
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    let mut part = vec![0; 256 * 1024];
    loop {
        match file.read(&mut part).ok()? {
            0 => return Some((hex::encode(hash.finalize()), bytes)),
            len => {
                hash.update(part.get(..len)?);
                bytes = bytes.saturating_add(u64::try_from(len).ok()?);
            }
        }
    }
}
