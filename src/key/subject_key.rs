//! Subject keys: a second factor for each patient (FORMAT 3.5). `wrapped_subject_key` has their stored form.

use std::fmt;
use std::sync::Arc;

use crate::id::Name;
use crate::secret::SecretBytes;

/// The key of one subject (patient). Fields that are sealed with it need it as a second factor. So if you destroy it, that
/// patient's fields become unreadable, and the keyring stays in use.
///
/// It has neither `Clone` nor serde: store its [`WrappedSubjectKey`](crate::subjects::WrappedSubjectKey).
pub struct SubjectKey(Arc<Inner>);

/// Shared with the subject's records, so that there is one copy of the key. It is behind a pointer, so that a record
/// without a subject has no unwritten room.
struct Inner {
    keyspace: Name,
    subject_id: Box<str>,
    secret: SecretBytes<32>,
}

impl SubjectKey {
    pub(super) fn of(keyspace: &Name, subject_id: &str, secret: SecretBytes<32>) -> Self {
        Self(Arc::new(Inner { keyspace: keyspace.clone(), subject_id: subject_id.into(), secret }))
    }

    pub(super) fn keyspace(&self) -> &Name {
        &self.0.keyspace
    }

    /// The id of the subject.
    #[must_use]
    pub fn subject_id(&self) -> &str {
        &self.0.subject_id
    }

    pub(crate) fn is_of(&self, keyspace: &Name) -> bool {
        self.0.keyspace == *keyspace
    }

    pub(crate) fn secret(&self) -> &SecretBytes<32> {
        &self.0.secret
    }

    /// Whether both are the same key bytes of the same subject id.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        let same_bytes = self.0.secret.expose_bytes().ct_eq(other.0.secret.expose_bytes());
        self.0.subject_id == other.0.subject_id && bool::from(same_bytes)
    }

    /// The same key, for a record that outlives the borrow of this one. It is wiped when its last owner is dropped.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// Drops this copy of the key. The result tells whether all other copies were dropped too: the last one wipes it.
    #[cfg(test)]
    pub(crate) fn watch(self) -> impl Fn() -> bool {
        let watched = Arc::downgrade(&self.0);
        move || watched.strong_count() == 0
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyspace(name: &str) -> Name {
        Name::parse("keyspace", name).unwrap()
    }

    fn key(subject: &str, byte: u8) -> SubjectKey {
        SubjectKey::of(&keyspace("pharmacy-17"), subject, SecretBytes::copy_of(&[byte; 32]))
    }

    #[test]
    fn it_is_the_same_with_the_same_bytes_of_the_same_subject() {
        let own = key("patient-1", 1);
        assert!(own.is_same(&own.share()) && own.is_same(&key("patient-1", 1)));
        assert!(!own.is_same(&key("patient-1", 2)), "other bytes");
        assert!(!own.is_same(&key("patient-2", 1)), "another subject");
        assert!(own.is_of(&keyspace("pharmacy-17")) && !own.is_of(&keyspace("pharmacy-18")));
        assert_eq!(own.subject_id(), "patient-1");
        assert_eq!(format!("{own:?}"), "SubjectKey([REDACTED])");
    }
}
