//! What logs of openings say: which keys a host had, what was opened, what was done against the theft.

mod chains;
mod cover;
mod facts;
mod moment;
mod openings;

use std::path::PathBuf;

use rxseal_watch::verify::Verifier;

pub(crate) use chains::Root;
pub(crate) use facts::Facts;
pub(crate) use openings::{Openings, Whose, named};

/// A log, and how it is verified.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) folder: PathBuf,
    pub(crate) verifier: Verifier,
}
