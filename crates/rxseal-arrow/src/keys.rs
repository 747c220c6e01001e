//! What a batch is sealed or opened with.

use std::fmt;

use rxseal::records::SubjectSource;

/// A handle of a keyring, with the subject keys of the records if they have any. A reference to a handle is one too, without subject keys.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keyring = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// use rxseal_arrow::Keys;
///
/// let (patient, stored) = keyring.create_subject_key("P-7")?;
/// let opener = keyring.opener();
/// let keys = Keys::from(&opener).with_subjects(&patient);
/// # Ok(())
/// # }
/// ```
pub struct Keys<'a, H> {
    pub(crate) handle: &'a H,
    pub(crate) subjects: Option<&'a dyn SubjectSource>,
}

impl<'a, H> Keys<'a, H> {
    /// The same with keys of subjects: [`subjects`](crate::subjects) lists those of a batch, to be loaded before.
    #[must_use]
    pub fn with_subjects(self, subjects: &'a dyn SubjectSource) -> Self {
        Self { subjects: Some(subjects), ..self }
    }
}

impl<'a, H> From<&'a H> for Keys<'a, H> {
    fn from(handle: &'a H) -> Self {
        Self { handle, subjects: None }
    }
}

impl<H> fmt::Debug for Keys<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("has_subjects", &self.subjects.is_some()).finish_non_exhaustive()
    }
}
