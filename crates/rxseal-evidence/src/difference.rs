//! In which way a pack is not as it was made.

use std::fmt;

/// One way in which a pack is not as it was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Difference {
    /// A file is not as it was signed.
    Changed(String),
    /// A file is gone.
    Missing(String),
    /// A file is there that was not signed.
    Added(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(name) => write!(f, "{name} was changed"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Added(name) => write!(f, "{name} was added"),
        }
    }
}
