//! The subject that a record names, as the code of `indexes!` asks for it.

use super::traits::PhiRecord;
use crate::id::Identifier;

/// The subject of a record `P`, whether or not it is a record struct that names one. An inherent method comes before that of a trait.
#[derive(Debug)]
pub struct SubjectOf<'a, P>(pub &'a P);

impl<'a, P: PhiRecord> SubjectOf<'a, P> {
    /// The subject that the record struct names, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<Identifier<'a>> {
        self.0.record_ids().ok()?.into_subject()
    }
}

/// What is no record struct names no subject.
pub trait NoSubject<'a> {
    /// No subject.
    fn id(&self) -> Option<Identifier<'a>> {
        None
    }
}

impl<'a, P> NoSubject<'a> for SubjectOf<'a, P> {}
