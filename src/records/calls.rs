//! The calls that take whole record structs, on a keyring and its handles.

use std::fmt;
use std::slice;
use std::sync::Arc;

use super::ids::{RecordIds, SubjectSource};
use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::tags;
use super::traits::{PhiFields, PhiRecord, SealedFields, SealedRecord};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::keyring::{Keyring, KeyringShares};
use crate::record::{Audit, Record, RecordCore};

/// A keyring together with the keys of the subjects whose records are sealed and opened.
pub struct WithSubjects<'a> {
    shares: &'a KeyringShares,
    subjects: Option<&'a dyn SubjectSource>,
}

impl Keyring {
    /// The same keyring with the keys of subjects. A record type with a subject needs them.
    #[must_use]
    pub fn with_subjects<'a>(&'a self, subjects: &'a impl SubjectSource) -> WithSubjects<'a> {
        WithSubjects { shares: self.shares(), subjects: Some(subjects) }
    }

    /// Seals a record struct.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`]; `subject-missing` if the struct has a subject: use [`with_subjects`](Self::with_subjects).
    pub fn seal<P: PhiRecord>(&self, record: &P) -> Result<P::Sealed, Error> {
        self.without_subjects().seal(record)
    }

    /// Opens a row.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`](crate::RecordReader::open); `subject-missing`, as above.
    pub fn open<S: SealedRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
        self.without_subjects().open(row, access)
    }

    /// The record of a row, from the row's own id.
    ///
    /// # Errors
    ///
    /// `invalid-id`; `subject-missing`.
    pub fn record_of<S: SealedRecord>(&self, row: &S) -> Result<Record, Error> {
        self.without_subjects().record_of(row)
    }

    fn without_subjects(&self) -> WithSubjects<'_> {
        WithSubjects { shares: self.shares(), subjects: None }
    }
}

impl WithSubjects<'_> {
    /// As [`Keyring::seal`].
    ///
    /// # Errors
    ///
    /// Those of [`Keyring::seal`].
    pub fn seal<P: PhiRecord>(&self, record: &P) -> Result<P::Sealed, Error> {
        let core = self.core(P::Sealed::RECORD_TYPE, &record.record_ids()?)?;
        let mut row = PhiFields::seal_fields(record, &mut RecordSealer::of(&core))?;
        tags::renew(&core, &mut row)?;
        Ok(row)
    }

    /// As [`Keyring::open`].
    ///
    /// # Errors
    ///
    /// Those of [`Keyring::open`].
    pub fn open<S: SealedRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
        let core = Arc::new(self.core_of(row)?);
        let mut audit = Audit::begin(slice::from_ref(&core), access)?;
        let verified = tags::verify(&core, row).inspect_err(|error| audit.state.note_failure(error));
        let opened =
            verified.and_then(|()| SealedFields::open_fields(row, &mut RecordOpener::of(&core, &mut audit.state)));
        audit.end();
        opened
    }

    /// As [`Keyring::record_of`].
    ///
    /// # Errors
    ///
    /// Those of [`Keyring::record_of`].
    pub fn record_of<S: SealedRecord>(&self, row: &S) -> Result<Record, Error> {
        Record::new(self.core_of(row)?)
    }

    fn core_of<S: SealedRecord>(&self, row: &S) -> Result<RecordCore, Error> {
        self.core(S::RECORD_TYPE, &row.record_ids()?)
    }

    fn core(&self, record_type: &str, ids: &RecordIds<'_>) -> Result<RecordCore, Error> {
        let core = RecordCore::bound(self.shares, record_type, ids.record())?;
        let Some(subject) = ids.subject_id() else { return Ok(core) };
        let subject = subject.parse("subject id")?;
        let key = self.subjects.ok_or(ErrorKind::SubjectMissing)?.subject_key(subject)?;
        if key.subject_id() != subject || !key.is_of(core.shared().keys.keyspace()) {
            return Err(ErrorKind::SubjectMismatch.into());
        }
        Ok(core.with_subject(key))
    }
}

impl fmt::Debug for WithSubjects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithSubjects").finish_non_exhaustive()
    }
}
