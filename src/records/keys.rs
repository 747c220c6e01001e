//! Keyrings and their handles, as what record structs are sealed and opened with.

use std::fmt;
use std::marker::PhantomData;

use super::ids::RecordIds;
use super::subjects::SubjectSource;
use crate::error::{Error, ErrorKind};
use crate::handles::{Opener, Sealer};
use crate::key::Keys;
use crate::keyring::{Keyring, KeyringShares};
use crate::record::{OpenOnly, RecordCore, Role, SealAndOpen, SealOnly};

/// A keyring or a handle of one, together with the keys of the subjects whose records are sealed and opened. `with_subjects` of
/// [`Keyring`], [`Sealer`] and [`Opener`] makes it.
///
/// ```
/// # #[cfg(all(feature = "derive", feature = "subject-keys"))]
/// # rxseal::run_local(async {
/// use rxseal::store::MemorySubjectStore;
/// use rxseal::subjects::SubjectKeys;
/// use rxseal::{PhiRecord, phi};
///
/// #[derive(PhiRecord)]
/// #[phi(record = "prescription")]
/// struct Prescription {
///     #[phi(id)]
///     rx_number: u64,
///     #[phi(subject)]
///     patient: String,
///     #[phi(seal = phi::Drug)]
///     drug: String,
/// }
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
/// let rxs = [Prescription { rx_number: 1001, patient: "P-7".into(), drug: "warfarin 5 MG".into() }];
/// let subject_keys = SubjectKeys::new(MemorySubjectStore::default());
///
/// let loaded = subject_keys.load_or_create_of(&keys, &rxs).await?; // a new patient gets a key
/// let rows = keys.with_subjects(&loaded).seal_all(&rxs)?;
///
/// let loaded = subject_keys.load_of(&keys, &rows).await?; // never makes one
/// let rx = keys.with_subjects(&loaded).open(&rows[0], &access)?;
/// assert_eq!(rx.drug, "warfarin 5 MG");
/// # Ok::<(), rxseal::Error>(())
/// # })?;
/// # Ok::<(), rxseal::Error>(())
/// ```
pub struct WithSubjects<'a, R = SealAndOpen> {
    shares: &'a KeyringShares,
    subjects: Option<&'a dyn SubjectSource>,
    role: PhantomData<fn() -> R>,
}

/// What record structs are sealed and opened with: a [`Keyring`], a [`Sealer`], an [`Opener`], or one of them
/// [`WithSubjects`].
pub trait RecordKeys: private::Sealed {
    /// What it may do.
    type Role: Role;

    #[doc(hidden)]
    fn handle(&self) -> WithSubjects<'_, Self::Role>;
}

mod private {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}
}

impl<R: Role> private::Sealed for WithSubjects<'_, R> {}

impl<R: Role> RecordKeys for WithSubjects<'_, R> {
    type Role = R;

    fn handle(&self) -> WithSubjects<'_, R> {
        Self { shares: self.shares, subjects: self.subjects, role: PhantomData }
    }
}

macro_rules! handles {
    ($($handle:ty: $role:ty;)*) => {$(
        impl private::Sealed for $handle {}

        impl RecordKeys for $handle {
            type Role = $role;

            fn handle(&self) -> WithSubjects<'_, $role> {
                WithSubjects { shares: self.shares(), subjects: None, role: PhantomData }
            }
        }

        impl $handle {
            /// The same together with keys of subjects: a record struct with a subject is sealed and opened with them.
            #[must_use]
            pub fn with_subjects<'a>(&'a self, subjects: &'a impl SubjectSource) -> WithSubjects<'a, $role> {
                WithSubjects { subjects: Some(subjects), ..self.handle() }
            }
        }
    )*};
}

handles! {
    Keyring: SealAndOpen;
    Sealer: SealOnly;
    Opener: OpenOnly;
}

impl<R> WithSubjects<'_, R> {
    pub(super) fn keys(&self) -> &Keys {
        &self.shares.shared().keys
    }

    /// Tells the observer of the keyring, as each call that reseals does.
    pub(super) fn tell_resealed(&self, records: usize, fields: usize) {
        self.shares.shared().tell_resealed(records, fields);
    }

    /// The context of a record of this type and of these former ones, and what opens and seals there.
    pub(super) fn core(&self, types: Types<'_>, ids: Result<RecordIds<'_>, Error>) -> Result<RecordCore, Error> {
        self.with_ids(types, ids, |core, subject| {
            let key = self.subjects.ok_or(ErrorKind::SubjectsNotGiven)?.subject_key(subject)?;
            if key.subject_id() != subject || !key.is_of(core.shared().keys.keyspace()) {
                return Err(ErrorKind::SubjectMismatch.into());
            }
            Ok(core.with_subject(key))
        })
    }

    /// The same to verify a tag, which is bound to the subject's id and needs no key of the subject.
    pub(super) fn core_to_verify(
        &self,
        types: Types<'_>,
        ids: Result<RecordIds<'_>, Error>,
    ) -> Result<RecordCore, Error> {
        self.with_ids(types, ids, |core, subject| Ok(core.with_subject_id(subject)))
    }

    fn with_ids(
        &self,
        (record_type, former): Types<'_>,
        ids: Result<RecordIds<'_>, Error>,
        with_subject: impl FnOnce(RecordCore, &str) -> Result<RecordCore, Error>,
    ) -> Result<RecordCore, Error> {
        let of_ids = |ids: RecordIds<'_>| {
            let core = RecordCore::bound(self.shares, record_type, ids.record())?.was(former)?;
            match ids.subject_id() {
                Some(subject) => with_subject(core, subject.parse("subject id")?),
                None => Ok(core),
            }
        };
        ids.and_then(of_ids).map_err(|error| error.in_record(record_type))
    }
}

/// A record type and its former ones.
pub(super) type Types<'a> = (&'a str, &'a [&'a str]);

impl<R> fmt::Debug for WithSubjects<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithSubjects").finish_non_exhaustive()
    }
}
