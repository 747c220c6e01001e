//! An index of a record type, as its definition says.

use std::fmt;

use crate::codec::text;

/// An index of a record type: the column of its values, and what they are.
///
/// A tool counts and clears its values by this. To compute them takes the normalisers of the program.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexDeclared {
    pub(crate) member: Box<str>,
    pub(crate) id: Box<str>,
    pub(crate) kind: Box<str>,
    pub(crate) bits: u8,
    pub(crate) definition: [u8; 32],
    pub(crate) former: Vec<[u8; 32]>,
}

impl IndexDeclared {
    /// The name of the column.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The id of the index, such as `patient.born`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The kind of the index: `whole`, `compound`, `parts` or `sounds`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether a row has several values: the kinds `parts` and `sounds`.
    #[must_use]
    pub fn is_set(&self) -> bool {
        matches!(&*self.kind, "parts" | "sounds")
    }

    /// The bits of a value, without its prefix.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The digest of the present definition (FORMAT 15.3).
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.definition
    }

    /// The digests of the former definitions, at most 4.
    #[must_use]
    pub fn former(&self) -> &[[u8; 32]] {
        &self.former
    }
}

impl fmt::Debug for IndexDeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexDeclared")
            .field("member", &self.member)
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("bits", &self.bits)
            .field("definition", &text::encode(&self.definition))
            .field("former", &self.former.len())
            .finish()
    }
}
