//! Where a row has a value.

use crate::error::{Error, ErrorKind, Reason};

const MAX_LEN: usize = 255;
/// More than any row has, and little enough to read.
const MAX_NESTED: usize = 16;

/// The path to a field of a row, within one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) member: Box<str>,
    pub(super) nested: Vec<Box<str>>,
    pub(super) variant: Option<Box<str>>,
}

impl Place {
    pub(crate) fn new(member: &str, nested: Vec<Box<str>>, variant: Option<Box<str>>) -> Result<Self, Error> {
        const NESTED: Reason = "a field is in at most 16 nested structs";
        check(member)?;
        nested.iter().chain(&variant).try_for_each(|name| check(name))?;
        if nested.len() > MAX_NESTED {
            return Err(ErrorKind::InvalidSchema.because(NESTED));
        }
        Ok(Self { member: member.into(), nested, variant })
    }

    pub(crate) fn member(&self) -> &str {
        &self.member
    }

    pub(crate) fn nested(&self) -> impl Iterator<Item = &str> {
        self.nested.iter().map(AsRef::as_ref)
    }

    pub(crate) fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }
}

/// The name of a member: what a program calls it.
fn check(name: &str) -> Result<(), Error> {
    const NAME: Reason = "the name of a member is 1 to 255 bytes without control characters";
    let is_one = (1..=MAX_LEN).contains(&name.len()) && !name.chars().any(char::is_control);
    if is_one { Ok(()) } else { Err(ErrorKind::InvalidSchema.because(NAME)) }
}
