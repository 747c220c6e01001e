//! The calls that take whole record structs, on a keyring and its handles.

use std::mem;
use std::slice;
use std::sync::Arc;

use super::keys::{RecordKeys, WithSubjects};
use super::open::RecordOpener;
use super::seal::{RecordSealer, Sealing};
use super::traits::{PhiFields, PhiRecord, SealedFields, SealedRecord, WholeRecord, renew_tag, types_of, verify_tag};
use super::unique::assert_unique;
use crate::access::Access;
use crate::error::Error;
use crate::handles::{Opener, Sealer};
use crate::index::NotIndexed;
use crate::keyring::Keyring;
use crate::record::{Audit, MayOpen, MaySeal, OpenState, Plainly, Record, RecordCore, Role, Told};

impl<R: MaySeal> WithSubjects<'_, R> {
    /// Seals a record struct: each field of it for the record whose id the struct has.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`]; `invalid-id`, also if two parts of one name have one id; `subject-missing` if the struct has a subject
    /// whose key is not there; with [index columns](crate::index) those of [`Indexer::stored`](crate::index::Indexer::stored), and
    /// `index-roots-missing`.
    pub fn seal<P: PhiRecord<Sealed: WholeRecord>>(&self, record: &P) -> Result<P::Sealed, Error> {
        const { assert_unique(&P::FIELDS) };
        let core = self.core((P::Sealed::RECORD_TYPE, &[]), record.record_ids())?;
        let mut sealing = Sealing::in_contexts(record.contexts().saturating_add(1));
        seal(record, &core, &mut sealing)
    }

    /// Seals a record struct whatever its indexes refuse, such as one of an import: such an index is null in the row and listed. Count them,
    /// since a search by that index does not find the record.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal), except `not-indexable` and `bad-check-digit`.
    pub fn seal_or_null<P: PhiRecord<Sealed: WholeRecord>>(
        &self,
        record: &P,
    ) -> Result<(P::Sealed, Vec<NotIndexed>), Error> {
        const { assert_unique(&P::FIELDS) };
        let core = self.core((P::Sealed::RECORD_TYPE, &[]), record.record_ids())?;
        let mut sealing = Sealing::in_contexts(record.contexts().saturating_add(1)).or_null();
        let row = seal(record, &core, &mut sealing)?;
        Ok((row, sealing.into_not_indexed()))
    }

    /// Seals many record structs. Nonce bytes are drawn for 256 records or parts of records in one system call.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal), of the first record that has one. Nothing is sealed then.
    pub fn seal_all<'p, P: PhiRecord<Sealed: WholeRecord> + 'p>(
        &self,
        records: impl IntoIterator<Item = &'p P>,
    ) -> Result<Vec<P::Sealed>, Error> {
        const { assert_unique(&P::FIELDS) };
        let with_core = |record: &'p P| Ok((record, self.core((P::Sealed::RECORD_TYPE, &[]), record.record_ids())?));
        let records = records.into_iter().map(with_core).collect::<Result<Vec<_>, Error>>()?;
        let contexts = records.iter().map(|(record, _)| record.contexts().saturating_add(1));
        let mut sealing = Sealing::in_contexts(contexts.fold(0, usize::saturating_add));
        records.iter().map(|(record, core)| seal(*record, core, &mut sealing)).collect()
    }
}

impl<R: MayOpen> WithSubjects<'_, R> {
    /// Opens a row: each field of it for the record whose id the row has. A record tag is verified first. It is one opening, and the
    /// observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`](crate::RecordReader::open); `invalid-id`; `subject-missing` if the row has a subject whose key is
    /// not there; with a record tag those of [`verified`](crate::records::TaggedRecord::verified).
    pub fn open<S: WholeRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
        self.open_one(row, access, (Plainly, open, wipe))
    }

    /// Opens many rows as one opening, of which the observer hears once. A row that does not open has its error in its place, and the
    /// others open. If the observer refuses, each row has its refusal.
    pub fn open_all<'s, S: WholeRecord + 's>(
        &self,
        rows: impl IntoIterator<Item = &'s S>,
        access: &Access,
    ) -> Vec<Result<S::Open, Error>> {
        self.open_each(rows, access, (Plainly, open, wipe))
    }

    /// As [`open`](Self::open), but a record tag is not verified: for a struct that says `projection`, or a record whose tag was broken.
    /// Each field is still bound to the record; that the fields belong together is not known.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), except those of the tag.
    pub fn open_unverified<S: SealedRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
        self.open_one(row, access, (Plainly, open_unverified, wipe))
    }

    /// As [`open_all`](Self::open_all), of rows whose record tag is not verified: see [`open_unverified`](Self::open_unverified).
    pub fn open_all_unverified<'s, S: SealedRecord + 's>(
        &self,
        rows: impl IntoIterator<Item = &'s S>,
        access: &Access,
    ) -> Vec<Result<S::Open, Error>> {
        self.open_each(rows, access, (Plainly, open_unverified, wipe))
    }

    pub(super) fn open_one<S: SealedRecord, T>(
        &self,
        row: &S,
        access: &Access,
        (told, open, discard): (impl Told, OpenRow<S, T>, fn(T)),
    ) -> Result<T, Error> {
        let core = Arc::new(self.core(types_of::<S>(), row.record_ids())?);
        let mut audit = Audit::begin_as(told, slice::from_ref(&core), access)?;
        let opened = open(row, &core, &mut audit.state);
        match audit.end() {
            Err(refusal) => opened.and_then(|value| {
                discard(value);
                Err(refusal)
            }),
            Ok(()) => opened,
        }
    }

    /// Opens each row within one opening. What may not be handed out is discarded.
    pub(super) fn open_each<'s, S: SealedRecord + 's, T>(
        &self,
        rows: impl IntoIterator<Item = &'s S>,
        access: &Access,
        (told, open, discard): (impl Told, OpenRow<S, T>, fn(T)),
    ) -> Vec<Result<T, Error>> {
        let with_core = |row: &'s S| (row, self.core(types_of::<S>(), row.record_ids()).map(Arc::new));
        let rows: Vec<_> = rows.into_iter().map(with_core).collect();
        let cores: Vec<_> = rows.iter().filter_map(|(_, core)| core.as_ref().ok()).map(Arc::clone).collect();
        let mut audit = match Audit::begin_as(told, cores, access) {
            Ok(audit) => audit,
            Err(refusal) => return rows.into_iter().map(|(_, core)| core.and_then(|_| Err(refusal.again()))).collect(),
        };
        let state = &mut audit.state;
        let open = |(row, core): (&S, Result<Arc<RecordCore>, Error>)| {
            let core = core.inspect_err(|error| state.note_failure(error))?;
            state.next_record();
            open(row, &core, state)
        };
        let mut opened: Vec<_> = rows.into_iter().map(open).collect();
        if let Err(refusal) = audit.end() {
            for place in opened.iter_mut().filter(|opened| opened.is_ok()) {
                if let Ok(value) = mem::replace(place, Err(refusal.again())) {
                    discard(value);
                }
            }
        }
        opened
    }
}

/// Opens the fields of a row within an opening.
pub(super) type OpenRow<S, T = <S as SealedFields>::Open> = fn(&S, &RecordCore, &mut OpenState) -> Result<T, Error>;

impl<R: Role> WithSubjects<'_, R> {
    /// The record of a row, with the row's own id and subject, to open, seal or reseal single fields.
    ///
    /// # Errors
    ///
    /// `invalid-id`; `subject-missing`.
    pub fn record_of<S: SealedRecord>(&self, row: &S) -> Result<Record<R>, Error> {
        Record::new(self.core(types_of::<S>(), row.record_ids())?)
    }
}

/// Seals a record, and makes its tag if it has one.
fn seal<P: PhiRecord>(record: &P, core: &RecordCore, sealing: &mut Sealing) -> Result<P::Sealed, Error> {
    let mut row = record.seal_fields(&mut RecordSealer::begin(core, sealing)?)?;
    renew_tag(core, &mut row)?;
    Ok(row)
}

/// Verifies a row's tag if it has one, and opens it.
pub(super) fn open<S: SealedRecord>(row: &S, core: &RecordCore, state: &mut OpenState) -> Result<S::Open, Error> {
    verify_tag(core, row).inspect_err(|error| state.note_failure(error))?;
    open_unverified(row, core, state)
}

pub(super) fn open_unverified<S: SealedRecord>(
    row: &S,
    core: &RecordCore,
    state: &mut OpenState,
) -> Result<S::Open, Error> {
    row.open_fields(&mut RecordOpener::of(core, state))
}

/// Wipes what was opened and nobody gets.
fn wipe(mut value: impl PhiFields) {
    value.wipe_sealed();
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
            pub fn seal<P: PhiRecord<Sealed: WholeRecord>>(&self, record: &P) -> Result<P::Sealed, Error> {
                self.handle().seal(record)
            }

            /// Seals a record struct whatever its indexes refuse, such as one of an import: such an index is null in the row and listed.
            /// Count them, since a search by that index does not find the record.
            ///
            /// # Errors
            ///
            /// Those of [`seal`](Self::seal), except `not-indexable` and `bad-check-digit`.
            pub fn seal_or_null<P: PhiRecord<Sealed: WholeRecord>>(
                &self,
                record: &P,
            ) -> Result<(P::Sealed, Vec<NotIndexed>), Error> {
                self.handle().seal_or_null(record)
            }

            /// Seals many record structs. Nonce bytes are drawn for 256 records or parts of records in one system call.
            ///
            /// # Errors
            ///
            /// Those of [`seal`](Self::seal), of the first record that has one. Nothing is sealed then.
            pub fn seal_all<'p, P: PhiRecord<Sealed: WholeRecord> + 'p>(
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
            /// Opens a row: each field of it for the record whose id the row has. A record tag is verified first. It is one opening, and
            /// the observer is told of it.
            ///
            /// # Errors
            ///
            /// Those of [`RecordReader::open`](crate::RecordReader::open); `invalid-id`; `subject-missing` if the row has a subject: use
            /// [`with_subjects`](Self::with_subjects); with a record tag those of
            /// [`verified`](crate::records::TaggedRecord::verified).
            pub fn open<S: WholeRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
                self.handle().open(row, access)
            }

            /// Opens many rows as one opening, of which the observer hears once. A row that does not open has its error in its place,
            /// and the others open. If the observer refuses, each row has its refusal.
            pub fn open_all<'s, S: WholeRecord + 's>(
                &self,
                rows: impl IntoIterator<Item = &'s S>,
                access: &Access,
            ) -> Vec<Result<S::Open, Error>> {
                self.handle().open_all(rows, access)
            }

            /// As [`open`](Self::open), but a record tag is not verified: for a struct that says `projection`, or a record whose tag was
            /// broken. Each field is still bound to the record; that the fields belong together is not known.
            ///
            /// # Errors
            ///
            /// Those of [`open`](Self::open), except those of the tag.
            pub fn open_unverified<S: SealedRecord>(&self, row: &S, access: &Access) -> Result<S::Open, Error> {
                self.handle().open_unverified(row, access)
            }

            /// As [`open_all`](Self::open_all), of rows whose record tag is not verified: see
            /// [`open_unverified`](Self::open_unverified).
            pub fn open_all_unverified<'s, S: SealedRecord + 's>(
                &self,
                rows: impl IntoIterator<Item = &'s S>,
                access: &Access,
            ) -> Vec<Result<S::Open, Error>> {
                self.handle().open_all_unverified(rows, access)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::ids::RecordIds;
    use super::super::traits::PhiFields;
    use super::super::twin::{Twin, TwinOf};
    use super::super::unique::FieldIds;
    use super::super::walk::{TokenChange, TokenVisit};
    use super::*;
    use crate::field::private::declaration;
    use crate::form::Parts;
    use crate::phi::Quantity;
    use crate::random::hooks::draws_in;
    use crate::testing::insecure_keyring;

    type Map = BTreeMap<u32, u64>;

    /// A record whose only field is a map, so that each entry has a context of its own.
    struct Fills(u32, Map);

    #[derive(Clone)]
    struct SealedFills(u32, Twin<Map, Parts<Quantity>>);

    impl PhiFields for Fills {
        type Sealed = SealedFills;
        const FIELDS: FieldIds = FieldIds { own: &[declaration::<Quantity>()], ..FieldIds::NONE };

        fn contexts(&self) -> usize {
            <Parts<Quantity> as TwinOf<Map>>::contexts(&self.1)
        }

        fn seal_fields(&self, sealer: &mut RecordSealer<'_>) -> Result<SealedFills, Error> {
            Ok(SealedFills(self.0, <Parts<Quantity> as TwinOf<Map>>::seal_twin(&self.1, sealer)?))
        }
    }

    impl SealedFields for SealedFills {
        type Open = Fills;

        fn open_fields(&self, opener: &mut RecordOpener<'_>) -> Result<Fills, Error> {
            Ok(Fills(self.0, <Parts<Quantity> as TwinOf<Map>>::open_twin(&self.1, opener)?))
        }

        fn visit_tokens(&self, visit: &mut impl TokenVisit) -> Result<(), Error> {
            <Parts<Quantity> as TwinOf<Map>>::visit_twin(&self.1, visit)
        }

        fn change_tokens(&mut self, change: &mut impl TokenChange) -> Result<(), Error> {
            <Parts<Quantity> as TwinOf<Map>>::change_twin(&mut self.1, change)
        }
    }

    impl PhiRecord for Fills {
        fn record_ids(&self) -> Result<RecordIds<'_>, Error> {
            Ok(RecordIds::new(&self.0))
        }
    }

    impl SealedRecord for SealedFills {
        const RECORD_TYPE: &'static str = "fills";

        fn record_ids(&self) -> Result<RecordIds<'_>, Error> {
            Ok(RecordIds::new(&self.0))
        }
    }

    impl WholeRecord for SealedFills {}

    #[test]
    fn one_draw_for_256_contexts() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let access = Access::new("user:kim", crate::Purpose::TREAT).unwrap();
        let fills = |id, entries| Fills(id, (0..entries).map(|at| (at, u64::from(at))).collect());
        // A record and its entries are contexts, and so are those of all records of a list.
        for (records, entries, draws) in [(1, 0, 0), (1, 1, 1), (1, 255, 1), (1, 256, 2), (3, 84, 1), (3, 85, 2)] {
            let all: Vec<_> = (0..records).map(|id| fills(id, entries)).collect();
            let (rows, drawn) = draws_in(|| keys.seal_all(&all).unwrap());
            assert_eq!(drawn, draws, "{records} records of {entries}");
            let (resealed, drawn) = draws_in(|| keys.reseal_all(&rows));
            assert_eq!(drawn, draws, "{records} records of {entries}");
            let resealed: Vec<_> = resealed.into_iter().map(|row| row.unwrap_or_else(|_| panic!())).collect();
            let mut nonces: Vec<_> = rows.iter().chain(&resealed).flat_map(|row| row.1.values()).collect();
            nonces.sort_by_key(|token| token.token().as_bytes().to_vec());
            nonces.dedup_by_key(|token| token.token().as_bytes()[9..21].to_vec());
            assert_eq!(nonces.len(), usize::try_from(2 * records * entries).unwrap());
            for (opened, fills) in keys.open_all(&resealed, &access).into_iter().zip(&all) {
                assert_eq!(opened.unwrap_or_else(|_| panic!()).1, fills.1);
            }
            assert_eq!(draws_in(|| keys.seal(&all[0]).unwrap()).1, u64::from(entries > 0) + u64::from(entries > 255));
        }
    }
}
