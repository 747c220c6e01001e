//! The keys of many subjects.

use std::collections::HashMap;
use std::fmt;

use super::cache::KnownSubject;
use crate::error::{Error, ErrorKind};
use crate::id::Identifier;
use crate::key::SubjectKey;

/// The keys that [`SubjectKeys::load`](crate::subjects::SubjectKeys::load) found.
#[derive(Default)]
pub struct LoadedSubjects(HashMap<Box<str>, Result<KnownSubject, Error>>);

impl LoadedSubjects {
    /// The key of a subject.
    ///
    /// # Errors
    ///
    /// `subject-shredded`, `subject-missing` if the subject has no key or was not loaded, and those of
    /// [`Keyring::unwrap_subject_key`](crate::Keyring::unwrap_subject_key).
    pub fn get<'a>(&self, subject: impl Into<Identifier<'a>>) -> Result<&SubjectKey, Error> {
        let subject = subject.into();
        match subject.parse("subject id").ok().and_then(|subject| self.0.get(subject)) {
            Some(Ok(KnownSubject::Key(key))) => Ok(key),
            Some(Ok(KnownSubject::Shredded)) => Err(ErrorKind::SubjectShredded.into()),
            Some(Err(error)) => Err(error.again()),
            None => Err(ErrorKind::SubjectMissing.into()),
        }
    }

    pub(super) fn is_missing(&self, subject: &str) -> bool {
        self.get(subject).is_err_and(|error| matches!(error.kind(), ErrorKind::SubjectMissing))
    }

    pub(super) fn put(&mut self, subject: &str, held: Result<KnownSubject, Error>) {
        self.0.insert(subject.into(), held);
    }
}

impl fmt::Debug for LoadedSubjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedSubjects").field("subjects", &self.0.len()).finish_non_exhaustive()
    }
}
