//! SHA-256, as `sha256sum` prints it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Reads a file once: what is kept is what was hashed.
pub(crate) fn hash_file(path: &Path, mut keep: Option<&mut Vec<u8>>) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        let len = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..len).filter(|read| !read.is_empty()) else {
            return Ok(hasher.finalize().into());
        };
        hasher.update(read);
        if let Some(keep) = &mut keep {
            keep.extend_from_slice(read);
        }
    }
}
