//! What a job does to each row.

use std::fmt;
use std::str::FromStr;

use rxseal::Error;
use serde::Serialize;

use crate::trouble::refused;

/// What a job does to each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Plaintext becomes tokens.
    Backfill,
    /// Tokens under any key of the keyring become tokens under the primary key.
    Reseal,
    /// Index values are computed again, under the primary index root and by the present definitions.
    Reindex,
    /// Tokens become plaintext.
    Unseal,
    /// Tokens of a record without a subject become tokens with the subject's own key beside the keyring.
    AddSubject,
}

impl Operation {
    const ALL: [Self; 5] = [Self::Backfill, Self::Reseal, Self::Reindex, Self::Unseal, Self::AddSubject];

    /// Its name, such as `add-subject`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Reseal => "reseal",
            Self::Reindex => "reindex",
            Self::Unseal => "unseal",
            Self::AddSubject => "add-subject",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|operation| operation.as_str() == text);
        found.ok_or_else(|| refused("there is no such operation: backfill, reseal, reindex, unseal or add-subject"))
    }
}
