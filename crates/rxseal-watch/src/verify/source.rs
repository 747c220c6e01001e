//! Where chains are read from: a folder, or a database.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::witness::Witness;
use crate::chain::ChainId;
use crate::error::{Kind, WatchError};
use crate::file_log::parse_name;
use crate::note::VerifierKey;

/// Chains, and the checkpoints beside them.
pub(crate) trait Source {
    /// Start and id of each, the oldest first.
    fn chains(&mut self) -> Result<Vec<(u64, ChainId)>, WatchError>;

    /// Adds the checkpoints beside the chains.
    fn witness(&mut self, witness: &mut Witness, keys: &[VerifierKey]) -> Result<(), WatchError>;

    /// The lines of a chain.
    fn open(&mut self, chain: (u64, ChainId)) -> Result<Box<dyn BufRead + '_>, WatchError>;

    /// The error for a chain that could not be read further.
    fn failed(&self, chain: (u64, ChainId), error: &io::Error) -> WatchError;

    /// The first line of the chain that was read last of which the source says something else beside it.
    fn differs(&mut self) -> Option<u64> {
        None
    }
}

/// The files of a folder.
pub(super) struct Folder<'p> {
    path: &'p Path,
    files: BTreeMap<(u64, ChainId), PathBuf>,
}

impl<'p> Folder<'p> {
    pub(super) fn new(path: &'p Path) -> Result<Self, WatchError> {
        Ok(Self { path, files: chain_files(path)? })
    }

    fn file(&self, chain: (u64, ChainId)) -> &Path {
        self.files.get(&chain).map_or(self.path, PathBuf::as_path)
    }
}

impl Source for Folder<'_> {
    fn chains(&mut self) -> Result<Vec<(u64, ChainId)>, WatchError> {
        Ok(self.files.keys().copied().collect())
    }

    fn witness(&mut self, witness: &mut Witness, keys: &[VerifierKey]) -> Result<(), WatchError> {
        witness.read(self.path, keys, false)
    }

    fn open(&mut self, chain: (u64, ChainId)) -> Result<Box<dyn BufRead + '_>, WatchError> {
        Ok(Box::new(open(self.file(chain))?))
    }

    fn failed(&self, chain: (u64, ChainId), error: &io::Error) -> WatchError {
        read_failed(self.file(chain), error)
    }
}

/// The files of lines in a folder, by start and chain.
pub(crate) fn chain_files(folder: &Path) -> Result<BTreeMap<(u64, ChainId), PathBuf>, WatchError> {
    let failed = |error: io::Error| read_failed(folder, &error);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if let Some(key) = path.file_name().and_then(|name| name.to_str()).and_then(parse_name) {
            files.insert(key, path);
        }
    }
    Ok(files)
}

pub(crate) fn open(path: &Path) -> Result<BufReader<File>, WatchError> {
    let file = File::open(path).map_err(|error| read_failed(path, &error))?;
    Ok(BufReader::with_capacity(256 * 1024, file))
}

fn read_failed(path: &Path, error: &io::Error) -> WatchError {
    WatchError::file(Kind::Read, path, error)
}
