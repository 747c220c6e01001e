//! Whether a pack is as it was made.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use rxseal_watch::{SignedSums, VerifierKey};
use serde::Deserialize;

use crate::difference::Difference;
use crate::digest::{digest, hash_file};
use crate::error::EvidenceError;
use crate::pack::{EVIDENCE, SUMS};

/// No list of digests is longer.
const MAX_SUMS: u64 = 256 * 1024;

/// A pack whose files are all as they were signed.
#[derive(Clone, Debug)]
pub struct Verified {
    digest: [u8; 32],
    files: usize,
    said: Said,
}

/// What the pack says of itself.
#[derive(Clone, Debug, Deserialize)]
struct Said {
    verdict: String,
    made_at: u64,
    made_by: String,
}

/// Verifies the pack in a folder: the signature of its digests by one of `keys`, and every file in it.
///
/// # Errors
///
/// `tampered` if something was changed, added or removed; `invalid-key` if none of `keys` signed it; `io`.
pub fn verify(folder: impl AsRef<Path>, keys: &[VerifierKey]) -> Result<Verified, EvidenceError> {
    let folder = folder.as_ref();
    let note = read_sums(&folder.join(SUMS))?;
    let text = str::from_utf8(&note).map_err(|_| differs(Difference::Changed(SUMS.to_owned())))?;
    let sums = SignedSums::open(text, keys)?;
    let signed: BTreeSet<_> = sums.files().map(|(name, _)| name).chain([SUMS]).collect();
    let mut differences = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(|error| EvidenceError::file(folder, &error))? {
        let entry = entry.map_err(|error| EvidenceError::file(folder, &error))?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(|name| signed.contains(name)) {
            differences.insert(Difference::Added(name.to_string_lossy().into_owned()));
        }
    }
    let mut evidence = Vec::new();
    for (name, expected) in sums.files() {
        let path = folder.join(name);
        // A link may lead to another file tomorrow.
        let is_file = fs::symlink_metadata(&path).map(|about| about.is_file());
        let found = match is_file {
            Ok(true) => hash_file(&path, (name == EVIDENCE).then_some(&mut evidence)),
            Ok(false) => Ok([0; 32]),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) if found == *expected => {}
            Ok(_) => drop(differences.insert(Difference::Changed(name.to_owned()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                differences.insert(Difference::Missing(name.to_owned()));
            }
            Err(error) => return Err(EvidenceError::file(&path, &error)),
        }
    }
    if !differences.is_empty() {
        return Err(EvidenceError::Changed(differences.into_iter().collect()));
    }
    let said = serde_json::from_slice(&evidence).map_err(|_| differs(Difference::Missing(EVIDENCE.to_owned())))?;
    Ok(Verified { digest: digest(&note), files: signed.len(), said })
}

impl Verified {
    /// SHA-256 of its `SHA256SUMS`, by which a log knows the pack.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// How many files it has.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// When it was made, as it says, in Unix seconds. The event in a log, and the checkpoint after it, show that.
    #[must_use]
    pub fn made_at(&self) -> u64 {
        self.said.made_at
    }

    /// Who made it, as it says.
    #[must_use]
    pub fn made_by(&self) -> &str {
        &self.said.made_by
    }

    /// What it came to: `complete`, `open` or `red`.
    #[must_use]
    pub fn verdict(&self) -> &str {
        &self.said.verdict
    }
}

fn differs(difference: Difference) -> EvidenceError {
    EvidenceError::Changed(vec![difference])
}

fn read_sums(path: &Path) -> Result<Vec<u8>, EvidenceError> {
    // A link may lead to another file tomorrow.
    if fs::symlink_metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(differs(Difference::Changed(SUMS.to_owned())));
    }
    let mut note = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_SUMS).read_to_end(&mut note)) {
        Ok(_) => Ok(note),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(differs(Difference::Missing(SUMS.to_owned()))),
        Err(error) => Err(EvidenceError::file(path, &error)),
    }
}
