//! Checkpoints: those that were kept elsewhere, and those beside the log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::chain_file::Expected;
use super::finding::{Fault, Finding};
use crate::chain::{ChainId, Hash};
use crate::error::{Kind, WatchError};
use crate::file_log::NOTES;
use crate::note::{Checkpoint, NoteFault, VerifierKey, notes};

/// A folder of checkpoints holds nothing longer.
const MAX_LEN: u64 = 256 * 1024 * 1024;

/// In the place of a file that is not text.
const NO_TEXT: &str = "?";

/// What checkpoints say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    /// For each chain the hashes at sizes, and whether that was kept elsewhere.
    chains: BTreeMap<ChainId, BTreeMap<u64, (Hash, bool)>>,
    findings: Vec<Finding>,
}

impl Witness {
    /// Reads the checkpoints of a folder or a file. What is beside the log may end in the middle of one.
    pub(super) fn read(&mut self, place: &Path, keys: &[VerifierKey], is_elsewhere: bool) -> Result<(), WatchError> {
        for path in files(place, is_elsewhere)? {
            let failed = |error: std::io::Error| WatchError::file(Kind::Read, &path, &error);
            if fs::metadata(&path).map_err(failed)?.len() > MAX_LEN {
                return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
            }
            // A file that is not text has no note either.
            let text = String::from_utf8(fs::read(&path).map_err(failed)?).unwrap_or_else(|_| NO_TEXT.to_owned());
            let mut notes = notes(&text).peekable();
            while let Some(note) = notes.next() {
                let may_be_torn = !is_elsewhere && notes.peek().is_none();
                self.read_note(note, keys, is_elsewhere, may_be_torn);
            }
        }
        Ok(())
    }

    /// Reads one checkpoint.
    pub(crate) fn read_note(&mut self, note: &str, keys: &[VerifierKey], is_elsewhere: bool, may_be_torn: bool) {
        let fault = match Checkpoint::open(note, keys) {
            Ok(checkpoint) => return self.add(checkpoint, is_elsewhere),
            Err(NoteFault::Malformed) if may_be_torn => Fault::CheckpointTorn,
            Err(NoteFault::UnknownKey) => Fault::UnknownKey,
            Err(NoteFault::Malformed | NoteFault::Forged) => Fault::CheckpointForged,
        };
        self.findings.push(Finding::new(fault, None, None));
    }

    fn add(&mut self, Checkpoint { chain, head, .. }: Checkpoint, is_elsewhere: bool) {
        let known = self.chains.entry(chain).or_default().entry(head.size).or_insert((head.hash, is_elsewhere));
        if known.0 != head.hash {
            self.findings.push(Finding::new(Fault::Fork, Some(chain), head.size.checked_sub(1)));
        }
        known.1 = known.1 || is_elsewhere;
    }

    /// Says of each chain what its lines are compared with. A chain that a checkpoint knows and that is not here is missing.
    pub(super) fn expect(self, expected: &mut BTreeMap<ChainId, Expected>, findings: &mut Vec<Finding>) {
        findings.extend(self.findings);
        for (chain, sizes) in self.chains {
            match expected.get_mut(&chain) {
                Some(expected) => expected.checkpoints = sizes,
                None => findings.push(Finding::new(Fault::ChainMissing, Some(chain), None)),
            }
        }
    }
}

/// Elsewhere every file counts, except one that is still being written. Beside the log it is those with its names.
fn files(place: &Path, is_elsewhere: bool) -> Result<Vec<PathBuf>, WatchError> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let failed = |error: std::io::Error| WatchError::file(Kind::Read, place, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(place).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let counts = if is_elsewhere { !name.starts_with('.') } else { name.ends_with(NOTES) };
        if counts && path.is_file() {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Head;

    /// Two checkpoints of each size: they agree, or the chain has two writers.
    #[test]
    fn two_checkpoints_of_one_size_that_differ_are_a_fork() {
        let chain = ChainId::parse("7f3a9c0e5b1d2468").unwrap();
        let checkpoint =
            |size: u64, byte: u8, time: u64| Checkpoint { chain, head: Head { size, hash: [byte; 32] }, time };
        let mut witness = Witness::default();
        witness.add(checkpoint(3, 1, 10), false);
        witness.add(checkpoint(3, 1, 20), true);
        witness.add(checkpoint(4, 2, 20), true);
        assert!(witness.findings.is_empty());
        witness.add(checkpoint(4, 3, 20), true);
        let found: Vec<_> =
            witness.findings.iter().map(|found| (found.code(), found.line(), found.verdict())).collect();
        assert_eq!(found, [("fork", Some(3), crate::verify::Verdict::Tampered)]);
        // A checkpoint beside the log that is elsewhere too is one from elsewhere.
        assert!(witness.chains[&chain][&3].1);
    }
}
