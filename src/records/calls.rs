//! The calls that take whole record structs, on a keyring and its handles.

use std::slice;
use std::sync::Arc;

use super::keys::{RecordKeys, WithSubjects};
use super::open::RecordOpener;
use super::seal::{RecordSealer, Sealing};
use super::traits::{PhiRecord, SealedRecord};
use super::unique::assert_unique;
use crate::access::Access;
use crate::error::Error;
use crate::handles::{Opener, Sealer};
use crate::keyring::Keyring;
use crate::record::{Audit, MayOpen, MaySeal, Record, RecordCore, Role};

impl<R: MaySeal> WithSubjects<'_, R> {
    /// Seals a record struct: each field of it for the record whose id the struct has.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`]; `invalid-id`, also if two parts of one name have one id; `subject-missing` if the struct has a subject
    /// whose key is not there.
    pub fn seal<P: PhiRecord>(&self, record: &P) -> Result<P::Sealed, Error> {
        const { assert_unique(&P::FIELDS) };
        let core = self.core(P::Sealed::RECORD_TYPE, record.record_ids())?;
        let mut sealing = Sealing::in_contexts(record.contexts().saturating_add(1));
        record.seal_fields(&mut RecordSealer::begin(&core, &mut sealing)?)
    }

    /// Seals many record structs. Nonce bytes are drawn for 256 records or parts of records in one system call.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal), of the first record that has one. Nothing is sealed then.
    pub fn seal_all<'p, P: PhiRecord + 'p>(
        &self,
        records: impl IntoIterator<Item = &'p P>,
    ) -> Result<Vec<P::Sealed>, Error> {
        const { assert_unique(&P::FIELDS) };
        let with_core = |record: &'p P| Ok((record, self.core(P::Sealed::RECORD_TYPE, record.record_ids())?));
        let records = records.into_iter().map(with_core).collect::<Result<Vec<_>, Error>>()?;
        let contexts = records.iter().map(|(record, _)| record.contexts().saturating_add(1));
        let mut sealing = Sealing::in_contexts(contexts.fold(0, usize::saturating_add));
        let seal =
            |(record, core): &(&P, RecordCore)| record.seal_fields(&mut RecordSealer::begin(core, &mut sealing)?);
        records.iter().map(seal).collect()
    }
}

impl<R: MayOpen> WithSubjects<'_, R> {
    /// Opens a row: each field of it for the record whose id the row has. It is one opening, and the observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`](crate::RecordReader::open); `invalid-id`; `subject-missing` if the row has a subject whose key is
    /// not there.
    pub fn open<S: SealedRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
        let core = Arc::new(self.core(S::RECORD_TYPE, row.record_ids())?);
        let mut audit = Audit::begin(slice::from_ref(&core), access)?;
        let opened = row.open_fields(&mut RecordOpener::of(&core, &mut audit.state));
        audit.end();
        opened
    }

    /// Opens many rows as one opening, of which the observer hears once. A row that does not open has its error in its place, and the
    /// others open. If the observer refuses, each row has its refusal.
    pub fn open_all<'s, S: SealedRecord + 's>(
        &self,
        rows: impl IntoIterator<Item = &'s S>,
        access: &Access,
    ) -> Vec<Result<S::Open, Error>> {
        let with_core = |row: &'s S| (row, self.core(S::RECORD_TYPE, row.record_ids()).map(Arc::new));
        let rows: Vec<_> = rows.into_iter().map(with_core).collect();
        let cores: Vec<_> = rows.iter().filter_map(|(_, core)| core.as_ref().ok()).map(Arc::clone).collect();
        let mut audit = match Audit::begin(cores, access) {
            Ok(audit) => audit,
            Err(refusal) => return rows.into_iter().map(|(_, core)| core.and_then(|_| Err(refusal.again()))).collect(),
        };
        let state = &mut audit.state;
        let open = |(row, core): (&S, Result<Arc<RecordCore>, Error>)| {
            let core = core.inspect_err(|error| state.note_failure(error))?;
            state.next_record();
            row.open_fields(&mut RecordOpener::of(&core, state))
        };
        let opened = rows.into_iter().map(open).collect();
        audit.end();
        opened
    }
}

impl<R: Role> WithSubjects<'_, R> {
    /// The record of a row, with the row's own id and subject, to open, seal or reseal single fields.
    ///
    /// # Errors
    ///
    /// `invalid-id`; `subject-missing`.
    pub fn record_of<S: SealedRecord>(&self, row: &S) -> Result<Record<R>, Error> {
        Record::new(self.core(S::RECORD_TYPE, row.record_ids())?)
    }
}

/// The same calls without subjects. What each does is said once, above.
macro_rules! sealing {
    ($($handle:ty)*) => {$(
        impl $handle {
            /// Seals a record struct: each field of it for the record whose id the struct has ([`records`](crate::records)).
            ///
            /// # Errors
            ///
            /// Those of [`Record::seal`]; `invalid-id`, also if two parts of one name have one id; `subject-missing` if the struct has a
            /// subject: use [`with_subjects`](Self::with_subjects).
            pub fn seal<P: PhiRecord>(&self, record: &P) -> Result<P::Sealed, Error> {
                self.handle().seal(record)
            }

            /// Seals many record structs. Nonce bytes are drawn for 256 records or parts of records in one system call.
            ///
            /// # Errors
            ///
            /// Those of [`seal`](Self::seal), of the first record that has one. Nothing is sealed then.
            pub fn seal_all<'p, P: PhiRecord + 'p>(
                &self,
                records: impl IntoIterator<Item = &'p P>,
            ) -> Result<Vec<P::Sealed>, Error> {
                self.handle().seal_all(records)
            }
        }
    )*};
}

macro_rules! opening {
    ($($handle:ty)*) => {$(
        impl $handle {
            /// Opens a row: each field of it for the record whose id the row has. It is one opening, and the observer is told of it.
            ///
            /// # Errors
            ///
            /// Those of [`RecordReader::open`](crate::RecordReader::open); `invalid-id`; `subject-missing` if the row has a subject: use
            /// [`with_subjects`](Self::with_subjects).
            pub fn open<S: SealedRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
                self.handle().open(row, access)
            }

            /// Opens many rows as one opening, of which the observer hears once. A row that does not open has its error in its place,
            /// and the others open. If the observer refuses, each row has its refusal.
            pub fn open_all<'s, S: SealedRecord + 's>(
                &self,
                rows: impl IntoIterator<Item = &'s S>,
                access: &Access,
            ) -> Vec<Result<S::Open, Error>> {
                self.handle().open_all(rows, access)
            }
        }
    )*};
}

macro_rules! naming {
    ($($handle:ty)*) => {$(
        impl $handle {
            /// The record of a row, with the row's own id, to open, seal or reseal single fields.
            ///
            /// # Errors
            ///
            /// `invalid-id`; `subject-missing` if the row has a subject: use [`with_subjects`](Self::with_subjects).
            pub fn record_of<S: SealedRecord>(&self, row: &S) -> Result<Record<<Self as RecordKeys>::Role>, Error> {
                self.handle().record_of(row)
            }
        }
    )*};
}

sealing!(Keyring Sealer);
opening!(Keyring Opener);
naming!(Keyring Sealer Opener);
