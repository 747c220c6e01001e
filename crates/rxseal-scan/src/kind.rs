//! What can be found, and how sure it is.

use std::fmt;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// It is there.
    Certain,
    /// Something looks like it. A person has to look.
    Possible,
}

impl Certainty {
    /// As a program reads it: `certain` or `possible`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Possible => "possible",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! kinds {
    ($($(#[$docs:meta])* $variant:ident = $code:literal, $said:literal;)*) => {
        /// What is found. Kinds are added, and their codes never change.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = concat!("`", $code, "`:")] $(#[$docs])* $variant,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its code, for programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// What it is, for people.
            pub(crate) const fn said(self) -> &'static str {
                match self {
                    $(Self::$variant => $said,)*
                }
            }
        }
    };
}

kinds! {
    /// a place that the map calls sealed has something else than a token. Always certain.
    Plaintext = "plaintext", "plaintext where the map says that tokens are";
    /// a token was cut off or changed.
    TokenDamaged = "token-damaged", "tokens that were cut off or changed";
    /// a token is where the map says nothing of tokens: resealing by the map misses it.
    TokenElsewhere = "token-elsewhere", "tokens where the map says nothing of tokens";
    /// a token is under a key that no given keyring has.
    KeyUnknown = "key-unknown", "tokens under keys that are in no keyring that was given";
    /// a token is under a key that the keyring calls destroyed: nothing opens it.
    KeyDestroyed = "key-destroyed", "tokens under a destroyed key, which nothing opens";
    /// a token is under a key that somebody else may have.
    KeyCompromised = "key-compromised", "tokens under a key that somebody else may have";
    /// a place that the map calls an index has something else than its values. Always certain.
    IndexPlaintext = "index-plaintext", "something else than index values in an index";
    /// the map says that the place is empty, and it is not. Always certain.
    NotEmpty = "not-empty", "values in a place that the map calls empty";
    /// a value that was looked for, such as a canary's. Always certain.
    KnownValue = "known-value", "values that were looked for";
    /// a text that looks like a social security number. Always possible, as the kinds below.
    Ssn = "ssn", "texts like social security numbers";
    /// a National Provider Identifier.
    Npi = "npi", "texts like National Provider Identifiers";
    /// a DEA number.
    Dea = "dea", "texts like DEA numbers";
    /// a day beside a word such as `born`.
    BirthDate = "birth-date", "texts like days of birth";
    /// a telephone number beside a word that says so.
    Phone = "phone", "texts like telephone numbers";
    /// an e-mail address beside a word that says so.
    Email = "email", "texts like e-mail addresses";
    /// a National Drug Code beside a word that says so.
    Ndc = "ndc", "texts like National Drug Codes";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
