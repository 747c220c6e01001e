//! In which keyspace records are.

use crate::place::Place;

/// In which keyspace records are.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyspace {
    /// All of them in this one.
    One(String),
    /// Each in one of these. Only its tokens say in which one.
    Several(Vec<String>),
    /// Each in the one whose name is in this column of its row.
    Column(Place),
}

impl Keyspace {
    /// Whether records may be in this keyspace.
    #[must_use]
    pub fn may_be(&self, keyspace: &str) -> bool {
        match self {
            Self::One(name) => name == keyspace,
            Self::Several(names) => names.iter().any(|name| name == keyspace),
            Self::Column(_) => true,
        }
    }

    /// The column that says it.
    #[must_use]
    pub fn column(&self) -> Option<&Place> {
        match self {
            Self::Column(place) => Some(place),
            Self::One(_) | Self::Several(_) => None,
        }
    }
}
