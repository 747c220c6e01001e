//! What a log of openings says: which keys a host had, what was opened, what was done against the theft.

mod chains;
mod cover;
mod facts;
mod openings;

use std::path::PathBuf;

use rxseal_watch::verify::Verifier;

pub(crate) use facts::Facts;
pub(crate) use openings::{Openings, Whose, named};

/// A log, and how it is verified.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) folder: PathBuf,
    pub(crate) verifier: Verifier,
}

impl Log {
    pub(crate) fn facts(&self) -> Facts {
        Facts::read(&self.folder, &self.verifier)
    }
}
