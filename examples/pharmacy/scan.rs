//! Looks for plaintext in files: unchanged, in hexadecimal and in base64, at any position.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use indicatif::ProgressBar;
use rusqlite::Connection;

use crate::checks::Failure;

/// A person who does not exist, for the control.
const CANARY: [&str; 4] = [
    "Canary Featherstonehaugh",
    "1901-02-03",
    "canarium 40 MG Oral Tablet",
    "Take one canary by mouth every full moon.",
];
/// Unchanged, in hexadecimal, and in base64 after nothing, one and two characters.
const SPELLINGS: usize = 5;
const CANARY_KIND: &str = "planted canary";

/// The beginning of a value is enough to find it, even if SQLite continues a long value on another page.
const LONGEST: usize = 24;
/// The first bytes, by which a place is looked up.
const START: usize = 4;
const START_BITS: u32 = 20;
const BLOCK: usize = 1 << 20;

/// The values that are looked for. They are never printed.
pub struct Needles {
    /// By their length, so that a place in a file is looked up once for each length and not once for each value.
    by_length: BTreeMap<usize, HashMap<Vec<u8>, What>>,
    /// The existing beginnings. This decides for almost every place at once.
    starts: Vec<bool>,
    values: HashSet<Vec<u8>>,
    too_short: HashSet<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct What {
    kind: &'static str,
    spelling: &'static str,
}

/// A file that was looked through.
pub struct Scanned {
    pub path: PathBuf,
    pub bytes: u64,
    pub found: usize,
    /// The kinds of values that were found, and their spellings.
    pub what: BTreeSet<String>,
    canaries: usize,
}

impl Needles {
    /// Includes the values of the control, which must not be found elsewhere either.
    pub fn new() -> Self {
        let mut needles = Self {
            by_length: BTreeMap::new(),
            starts: vec![false; 1 << START_BITS],
            values: HashSet::new(),
            too_short: HashSet::new(),
        };
        for value in CANARY {
            needles.add(CANARY_KIND, value);
        }
        needles
    }

    /// Looks for this value too. Each is counted once.
    pub fn add(&mut self, kind: &'static str, value: &str) {
        let value = &value.as_bytes()[..value.len().min(LONGEST)];
        if value.is_empty() || self.values.contains(value) {
            return;
        }
        // Tokens are long random texts of 64 characters, in which a few letters turn up by chance.
        if value.len() < START || (value.len() < 8 && value.iter().all(|byte| is_token_character(*byte))) {
            self.too_short.insert(value.to_vec());
            return;
        }
        self.values.insert(value.to_vec());
        self.insert(value.to_vec(), kind, "as it is");
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.insert(hex.to_uppercase().into_bytes(), kind, "in hexadecimal");
        self.insert(hex.into_bytes(), kind, "in hexadecimal");
        // Base64 takes three bytes at a time, so the text before the value changes its spelling. The spelling keeps
        // only the characters that depend on the value's own bits.
        for before in 0..3 {
            let bytes = [&[0; 2][..before], value].concat();
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let text = &alphabet.encode(&bytes).into_bytes()[own.clone()];
                if text.len() >= 10 {
                    self.insert(text.to_vec(), kind, "in base64");
                }
            }
        }
    }

    /// How many values are looked for, and how many are too short to be distinguished from chance.
    pub fn counts(&self) -> (usize, usize) {
        (self.values.len() - CANARY.len(), self.too_short.len())
    }

    /// Looks through every file in `folders`.
    pub fn scan(&self, folders: &[&Path], bar: &ProgressBar) -> Result<Vec<Scanned>, Failure> {
        let mut paths = Vec::new();
        for folder in folders {
            files_below(folder, &mut paths)?;
        }
        paths.sort();
        let sizes = paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|metadata| metadata.len());
        bar.set_length(sizes.sum());
        paths.into_iter().map(|path| self.scan_file(path, bar)).collect()
    }

    /// Looks through a database in which a made-up person is stored unsealed, in several spellings. The scan must find
    /// all of it, or finding nothing elsewhere means nothing. No real value is ever written for this. Returns how many
    /// were found and how many were planted.
    pub fn control(&self, folder: &Path) -> Result<(usize, usize), Failure> {
        let path = folder.join("control.sqlite");
        plant(&path)?;
        let scanned = self.scan_file(path.clone(), &ProgressBar::hidden())?;
        fs::remove_file(&path).map_err(|error| unreadable(&path, &error))?;
        Ok((scanned.canaries, CANARY.len() * SPELLINGS))
    }

    fn insert(&mut self, bytes: Vec<u8>, kind: &'static str, spelling: &'static str) {
        let Some(start) = start_of(&bytes) else { return };
        self.starts[start] = true;
        self.by_length.entry(bytes.len()).or_default().entry(bytes).or_insert(What { kind, spelling });
    }

    fn scan_file(&self, path: PathBuf, bar: &ProgressBar) -> Result<Scanned, Failure> {
        let mut file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
        let mut scanned = Scanned { path, bytes: 0, found: 0, what: BTreeSet::new(), canaries: 0 };
        let longest = self.by_length.keys().last().copied().unwrap_or_default();
        let mut buffer = Vec::new();
        loop {
            let read = file.by_ref().take(BLOCK as u64).read_to_end(&mut buffer);
            let read = read.map_err(|error| unreadable(&scanned.path, &error))?;
            // The last bytes are looked at with the next block, since a value may continue there.
            let end = if read == 0 { buffer.len() } else { buffer.len().saturating_sub(longest) };
            self.look(&buffer, end, &mut scanned);
            if read == 0 {
                return Ok(scanned);
            }
            buffer.drain(..end);
            scanned.bytes += read as u64;
            bar.inc(read as u64);
        }
    }

    fn look(&self, buffer: &[u8], end: usize, scanned: &mut Scanned) {
        for at in 0..end {
            let rest = &buffer[at..];
            if !start_of(rest).is_some_and(|start| self.starts[start]) {
                continue;
            }
            for (length, needles) in &self.by_length {
                let Some(what) = rest.get(..*length).and_then(|text| needles.get(text)) else { continue };
                scanned.found += 1;
                scanned.what.insert(format!("{} {}", what.kind, what.spelling));
                scanned.canaries += usize::from(what.kind == CANARY_KIND);
            }
        }
    }
}

/// The place of a text's first bytes in the table of beginnings.
fn start_of(text: &[u8]) -> Option<usize> {
    let start = u32::from_le_bytes(*text.first_chunk::<START>()?);
    Some((start.wrapping_mul(0x9E37_79B1) >> (32 - START_BITS)) as usize)
}

fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn plant(path: &Path) -> Result<(), Failure> {
    // An earlier run may have been killed here.
    let _ = fs::remove_file(path);
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA journal_mode = memory; CREATE TABLE control (value TEXT NOT NULL) STRICT")?;
    for value in CANARY {
        let hex = value.bytes().map(|byte| format!("{byte:02X}")).collect();
        // The value is found whatever is before it.
        let base64 = ["", "x", "xx"].map(|before| URL_SAFE_NO_PAD.encode(format!("{before}{value}, and more")));
        for text in [value.to_owned(), hex].into_iter().chain(base64) {
            db.execute("INSERT INTO control VALUES (?1)", [text])?;
        }
    }
    Ok(())
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.is_dir() { files_below(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::of_file(path, error)
}
