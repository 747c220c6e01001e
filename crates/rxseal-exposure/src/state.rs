//! What a thief could do with the data of a patient.

use serde::{Serialize, Serializer};

/// What a thief could do with one kind of data of one patient. Of several that hold, the first is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Proven: an event says that it was opened, or the token and every key to it were taken.
    Readable,
    /// It was taken, and it was not sealed where it should have been.
    Plaintext,
    /// The thief had the means, and nothing proves that they were used.
    CouldBeRead,
    /// A value of an index was taken with the root of that index: a dictionary of names or days finds what it is.
    Guessable,
    /// Not known. It is never counted as safe.
    Undecided,
    /// A copy was taken, and no key to it.
    Sealed,
    /// It was not taken: a source that was read to its end does not have it, or none that has it was taken.
    NotTaken,
}

impl State {
    /// All states, the worst first.
    pub const ALL: [Self; 7] = [
        Self::Readable,
        Self::Plaintext,
        Self::CouldBeRead,
        Self::Guessable,
        Self::Undecided,
        Self::Sealed,
        Self::NotTaken,
    ];

    /// As `exposure.json` and `patients.csv` write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::Plaintext => "plaintext",
            Self::CouldBeRead => "could-be-read",
            Self::Guessable => "guessable",
            Self::Undecided => "undecided",
            Self::Sealed => "sealed",
            Self::NotTaken => "not-taken",
        }
    }

    /// Whether the thief could read it, beyond doubt.
    #[must_use]
    pub const fn is_proven(self) -> bool {
        matches!(self, Self::Readable | Self::Plaintext)
    }

    /// Whether nobody can say that the thief did not read it.
    #[must_use]
    pub const fn is_at_risk(self) -> bool {
        !matches!(self, Self::Sealed | Self::NotTaken)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
