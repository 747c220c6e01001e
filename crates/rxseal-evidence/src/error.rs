//! Why evidence could not be made or read.

use std::io;
use std::path::Path;

use rxseal_watch::WatchError;

use crate::difference::Difference;

/// Why evidence could not be made or read. No value of a field and no key is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The map or the schema has mistakes.
    #[error("{0}")]
    Invalid(String),
    /// A file could not be read or written.
    #[error("{0}")]
    File(String),
    /// A pack is not as it was made.
    #[error("somebody changed this pack: {}", shown(.0))]
    Changed(Vec<Difference>),
    /// A log, a signature or the name of an actor.
    #[error(transparent)]
    Watch(#[from] WatchError),
}

impl EvidenceError {
    /// A stable code, such as `invalid-input`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-input",
            Self::File(_) => "io",
            Self::Changed(_) => "tampered",
            Self::Watch(error) => error.code(),
        }
    }

    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::File(format!("{}: {error}", path.display()))
    }
}

/// The first of them.
fn shown(differences: &[Difference]) -> String {
    let first: Vec<_> = differences.iter().take(3).map(ToString::to_string).collect();
    let more = if differences.len() > first.len() { ", and more" } else { "" };
    format!("{}{more}", first.join(", "))
}
