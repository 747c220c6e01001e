//! What a readable column tells about a person.

use std::fmt;

macro_rules! clear_kinds {
    ($($(#[$docs:meta])* $variant:ident = $text:literal,)*) => {
        /// What a column that is stored readable tells about a person. A thief of the database reads it, so a report on what was exposed
        /// names it.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ClearKind {
            $(#[doc = concat!("`", $text, "`:")] $(#[$docs])* $variant,)*
        }

        impl ClearKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As the map says it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

clear_kinds! {
    /// a number or code that names a record or a person: a prescription number, a member id, an account.
    Identifier = "identifier",
    /// a person's name, or a part of one.
    Name = "name",
    /// a telephone number, an address, an e-mail address.
    Contact = "contact",
    /// where somebody lives or was treated, less exactly than an address: a ZIP code, a state, a store.
    Place = "place",
    /// a day or a time in somebody's life or treatment: born, admitted, filled.
    Date = "date",
    /// what somebody has or takes: a diagnosis, a drug, a result, a note.
    Health = "health",
    /// who pays, and how much: a plan, a price, a claim.
    Payment = "payment",
    /// something else about a person.
    Other = "other",
    /// nothing about a person: a row version, a count of refills left, a sequence number.
    Nothing = "none",
}

impl ClearKind {
    /// From the map's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for ClearKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
