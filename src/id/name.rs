//! Names: keyspaces, record types, parts, classes, fields, indexes and providers (FORMAT 1.3).

use crate::error::{Error, Reason};

const RULE: Reason = "1 to 64 characters of a-z, 0-9, dot, underscore and hyphen, the first a letter or digit";
const MAX: usize = 64;

/// FORMAT 1.3, as a `const fn` so that the compiler checks declared names.
pub(crate) const fn is_name(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if rest.is_empty() || rest.len() > MAX {
        return false;
    }
    let mut first = true;
    while let [byte, tail @ ..] = rest {
        let legal = match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'.' | b'_' | b'-' => !first,
            _ => false,
        };
        if !legal {
            return false;
        }
        first = false;
        rest = tail;
    }
    true
}

/// A name that was given at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(Box<str>);

impl Name {
    pub(crate) fn parse(what: Reason, text: &str) -> Result<Self, Error> {
        Self::check(what, text)?;
        Ok(Self(text.into()))
    }

    pub(crate) fn check(what: Reason, text: &str) -> Result<(), Error> {
        if is_name(text) { Ok(()) } else { Err(Error::invalid_id(what, RULE)) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The declared, stable id of a field. Every token of the field is bound to it.
///
/// An id belongs to one field of a keyspace for ever. It is not the name of a Rust field or a column: those may change, the id
/// must not. (In a document such as a JSON object, serde uses the Rust field's name as the key. If you rename that field, keep the
/// old key with `#[serde(rename = "..")]` or `alias`, or the value under the old key is not read.)
///
/// ```
/// const DRUG: rxseal::FieldId = rxseal::FieldId::new("rx.drug");
/// assert_eq!(DRUG.as_str(), "rx.drug");
/// ```
///
/// A text that is not a name does not compile:
///
/// ```compile_fail
/// const DRUG: rxseal::FieldId = rxseal::FieldId::new("Drug name");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(&'static str);

/// A class of PHI, which is the unit of access. Each class has keys of its own, and sealers and openers can be limited to
/// classes (minimum necessary, 45 CFR 164.502(b)).
///
/// A program may use at most 32 classes.
///
/// ```
/// const BILLING: rxseal::Class = rxseal::Class::new("billing");
/// assert_ne!(BILLING, rxseal::Class::COVERAGE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class(&'static str);

impl FieldId {
    /// A field id: 1 to 64 characters of `a-z 0-9 . _ -` that start with a letter or digit. Use it in constants, where any
    /// other text is a compile error.
    ///
    /// # Panics
    ///
    /// Outside of a constant, if the text is not a field id.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        // A `const fn` can refuse only like this; the text is the program's own.
        assert!(is_name(id), "a field id is 1 to 64 characters of a-z 0-9 . _ - and starts with a letter or digit");
        Self(id)
    }

    /// A field id that a tool is given at run time.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the text is not a field id.
    pub fn parse(id: &'static str) -> Result<Self, Error> {
        Name::check("field id", id)?;
        Ok(Self(id))
    }

    /// The id as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Error {
    pub(crate) fn at_field(self, field: FieldId) -> Self {
        self.with_field_id(field.as_str())
    }
}

impl Class {
    /// Whether both are equal. Almost always they are the same constant, so that no byte is compared.
    #[inline]
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0, other.0) || self == other
    }

    /// Who the patient is: name, date of birth, record numbers, pictures.
    pub const IDENTITY: Self = Self::new("identity");
    /// How to reach the patient: phone, email, address.
    pub const CONTACT: Self = Self::new("contact");
    /// What the patient takes: drug, strength, directions.
    pub const MEDICATION: Self = Self::new("medication");
    /// Who prescribed: name, NPI, DEA number.
    pub const PRESCRIBER: Self = Self::new("prescriber");
    /// Why: diagnoses, allergies, notes.
    pub const CLINICAL: Self = Self::new("clinical");
    /// Who pays: plan, member number, claims.
    pub const COVERAGE: Self = Self::new("coverage");

    /// A class of your own: 1 to 64 characters of `a-z 0-9 . _ -` that start with a letter or digit. Use it in constants, where
    /// any other text is a compile error.
    ///
    /// # Panics
    ///
    /// Outside of a constant, if the text is not a class id.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        // As for `FieldId::new`.
        assert!(is_name(id), "a class id is 1 to 64 characters of a-z 0-9 . _ - and starts with a letter or digit");
        Self(id)
    }

    /// A class id that a tool is given at run time.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the text is not a class id.
    pub fn parse(id: &'static str) -> Result<Self, Error> {
        Name::check("class id", id)?;
        Ok(Self(id))
    }

    /// The id as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strict() {
        for good in ["a", "0", "pharmacy-17", "rx.drug", "a_b", &"a".repeat(64)] {
            assert!(Name::parse("keyspace", good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", ".a", "_a", "a b", "a/b", "ä", &"a".repeat(65), "a\0"] {
            assert_eq!(Name::parse("keyspace", bad).unwrap_err().code().as_str(), "invalid-id", "{bad}");
        }
    }
}
