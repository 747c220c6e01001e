//! Where the keys of subjects come from.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use crate::error::{Error, ErrorKind};
use crate::key::SubjectKey;
#[cfg(feature = "subject-keys")]
use crate::subject_keys::LoadedSubjects;

/// The keys of subjects, loaded before records are sealed or opened: a `LoadedSubjects` (feature `subject-keys`), or one or several
/// [`SubjectKey`]s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no key of a subject",
    note = "load the keys before: `subject_keys.load_of(&keys, &rows).await?` to open, and `load_or_create_of(&keys, &records)` to seal"
)]
pub trait SubjectSource: Sync {
    /// The key of a subject.
    ///
    /// # Errors
    ///
    /// `subject-missing`, `subject-shredded` and those of unwrapping the key.
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error>;
}

#[cfg(feature = "subject-keys")]
impl SubjectSource for LoadedSubjects {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        self.get(subject)
    }
}

impl SubjectSource for SubjectKey {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        Some(self).filter(|key| key.subject_id() == subject).ok_or_else(missing)
    }
}

impl<S: SubjectSource + ?Sized> SubjectSource for &S {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        (**self).subject_key(subject)
    }
}

impl SubjectSource for [SubjectKey] {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        self.iter().find(|key| key.subject_id() == subject).ok_or_else(missing)
    }
}

impl SubjectSource for Vec<SubjectKey> {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        self.as_slice().subject_key(subject)
    }
}

impl<const N: usize> SubjectSource for [SubjectKey; N] {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        self.as_slice().subject_key(subject)
    }
}

impl SubjectSource for BTreeMap<String, SubjectKey> {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        self.get(subject).ok_or_else(missing)
    }
}

impl<H: BuildHasher + Sync> SubjectSource for HashMap<String, SubjectKey, H> {
    fn subject_key(&self, subject: &str) -> Result<&SubjectKey, Error> {
        self.get(subject).ok_or_else(missing)
    }
}

fn missing() -> Error {
    ErrorKind::SubjectMissing.into()
}
