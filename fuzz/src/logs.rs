//! A log of one chain and a file of checkpoints, in files that the targets write: the verifier reads nothing else.

use std::fs;
use std::path::PathBuf;

use rxseal_watch::verify::{Report, Verifier};

/// The vector of FORMAT 16: its chain, its checkpoint and the key that verifies it.
pub const CHAIN: &str = include_str!("../corpus/audit_log/good");
pub const NOTE: &str = include_str!("../corpus/audit_note/good");
pub const KEY: &str = "pharmacy-17.example+20746a0f+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR";

/// The signed digests of the same section.
pub const SUMS: &str = include_str!("../corpus/audit_note/sums");

/// Where one process writes: in memory, if the machine has such a place.
pub struct Log(PathBuf);

impl Log {
    pub fn new() -> Self {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = place.join(format!("rxseal-fuzz-{}", std::process::id()));
        fs::create_dir_all(folder.join("log")).expect("a folder");
        Self(folder)
    }

    /// Verifies these bytes as the chain, with these as the checkpoints that were kept elsewhere.
    pub fn verify(&self, chain: &[u8], notes: &[u8]) -> Report {
        let Self(folder) = self;
        fs::write(folder.join("log/1764000000000-7f3a9c0e5b1d2468.rxa"), chain).expect("a file");
        fs::write(folder.join("notes"), notes).expect("a file");
        let verifier = Verifier::new([KEY.parse().expect("it is that of the vector")]).at(u64::MAX);
        let verifier = verifier.checkpoints(folder.join("notes")).expect("a file that can be read");
        verifier.verify(folder.join("log")).expect("a folder that can be read")
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
