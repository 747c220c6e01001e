//! Loading the keys of the subjects that records name.

use super::traits::{PhiRecord, SealedRecord};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::subject_keys::{LoadedSubjects, SubjectKeys};

impl SubjectKeys {
    /// The keys of the subjects of rows, with one query of the store for all that are not held. Use it for opening: it never makes a key.
    ///
    /// A subject without a key, or one that was shredded, is the error of its rows when they are opened.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the id of a subject is not valid, and those of the store.
    pub async fn load_of<'s, S: SealedRecord + 's>(
        &self,
        keys: &Keyring,
        rows: impl IntoIterator<Item = &'s S>,
    ) -> Result<LoadedSubjects, Error> {
        // A row without a valid id has no subject here, and is refused when it is opened.
        self.load(keys, rows.into_iter().filter_map(|row| row.record_ids().ok()?.into_subject())).await
    }

    /// The keys of the subjects of records, and a subject that has no key gets one. Use it for sealing.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the id of a subject is not valid, and those of the store. An error about one subject, such as `subject-shredded`, is
    /// that of its records when they are sealed.
    pub async fn load_or_create_of<'p, P: PhiRecord + 'p>(
        &self,
        keys: &Keyring,
        records: impl IntoIterator<Item = &'p P>,
    ) -> Result<LoadedSubjects, Error> {
        self.load_or_create(keys, records.into_iter().filter_map(|record| record.record_ids().ok()?.into_subject()))
            .await
    }
}
