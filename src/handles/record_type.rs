//! A record type that is named once.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Opener, Sealer};
use crate::error::Error;
use crate::id::{Identifier, Name};
use crate::key::SubjectKey;
use crate::keyring::{Keyring, KeyringShares};
use crate::record::{OpenOnly, Record, RecordCore, Role, SealAndOpen, SealOnly, check_former};
use crate::schema::RecordSchema;

/// A record type of a keyring or of one of its handles: its name, its former names, and whether its records need a subject. All of
/// that is written once, and no record of the type is made otherwise.
///
/// `record_type` of [`Keyring`], [`Sealer`] and [`Opener`] makes it. It is `Clone`, `Send` and `Sync`, and has the keys of the handle
/// that it was made from.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// use rxseal::phi::Drug;
/// use rxseal::{ErrorCode, Keyring, RecordType};
///
/// fn prescriptions(keys: &Keyring) -> Result<RecordType, rxseal::Error> {
///     keys.record_type("prescription")?.requires_subject().was("rx")
/// }
///
/// let prescriptions = prescriptions(&keys)?;
/// # let (patient, _) = keys.create_subject_key("P-7")?;
/// let record = prescriptions.record_with(1001, &patient)?;
/// record.seal::<Drug>("warfarin 5 MG")?;
/// // Without the patient's key, shredding would miss this record. So it is refused.
/// let refused = prescriptions.record(1002)?.seal::<Drug>("warfarin 5 MG").unwrap_err();
/// assert_eq!(refused.code(), ErrorCode::SubjectMissing);
/// # Ok(())
/// # }
/// ```
pub struct RecordType<R = SealAndOpen> {
    shares: Arc<KeyringShares>,
    name: Box<str>,
    former: Vec<Box<str>>,
    needs_subject: bool,
    role: PhantomData<fn() -> R>,
}

impl<R: Role> RecordType<R> {
    fn new(shares: &Arc<KeyringShares>, name: &str) -> Result<Self, Error> {
        Name::check("record type", name)?;
        let shares = Arc::clone(shares);
        Ok(Self { shares, name: name.into(), former: Vec::new(), needs_subject: false, role: PhantomData })
    }

    /// Nothing is sealed in a record of this type, or in a part of one, before it has a subject: the error is `subject-missing`, before
    /// anything is drawn. What was sealed without a subject still opens without one.
    #[must_use]
    pub fn requires_subject(self) -> Self {
        Self { needs_subject: true, ..self }
    }

    /// A former name of the type, as in [`Record::was`]: at most 4, the latest first.
    ///
    /// # Errors
    ///
    /// `invalid-id`, also for the present name, for one that was given before, and for a fifth.
    pub fn was(mut self, former_type: &str) -> Result<Self, Error> {
        let known = std::iter::once(&self.name).chain(&self.former);
        check_former(known.map(|name| &**name), former_type)?;
        self.former.push(former_type.into());
        Ok(self)
    }

    /// The record of this id.
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, id: impl Into<Identifier<'a>>) -> Result<Record<R>, Error> {
        let core = RecordCore::bound(&self.shares, &self.name, &id.into())?.was(&self.former)?;
        Record::new(if self.needs_subject { core.needing_subject() } else { core })
    }

    /// The record of this id, with the key of its subject, as [`Record::subject`] has it.
    ///
    /// # Errors
    ///
    /// `invalid-id`; `subject-mismatch` if the key is of another keyspace.
    pub fn record_with<'a>(&self, id: impl Into<Identifier<'a>>, subject: &SubjectKey) -> Result<Record<R>, Error> {
        self.record(id)?.subject(subject)
    }

    /// The type's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

macro_rules! record_types {
    ($($handle:ty: $role:ty;)*) => {$(
        impl $handle {
            /// A record type, named once for all its records.
            ///
            /// # Errors
            ///
            /// `invalid-id`.
            pub fn record_type(&self, name: &str) -> Result<RecordType<$role>, Error> {
                RecordType::new(self.shares(), name)
            }

            /// The record type of a schema, with its former types. A record of a type that needs a subject seals nothing without one.
            ///
            /// # Errors
            ///
            /// `invalid-id`.
            pub fn record_type_of(&self, schema: &RecordSchema) -> Result<RecordType<$role>, Error> {
                let record_type = self.record_type(schema.record_type())?;
                let record_type = schema.former_types().try_fold(record_type, RecordType::was)?;
                let needs_subject = schema.subject().is_some_and(|subject| !subject.is_optional());
                Ok(if needs_subject { record_type.requires_subject() } else { record_type })
            }
        }
    )*};
}

record_types! {
    Keyring: SealAndOpen;
    Sealer: SealOnly;
    Opener: OpenOnly;
}

impl<R> Clone for RecordType<R> {
    fn clone(&self) -> Self {
        Self {
            shares: Arc::clone(&self.shares),
            name: self.name.clone(),
            former: self.former.clone(),
            needs_subject: self.needs_subject,
            role: PhantomData,
        }
    }
}

impl<R> fmt::Debug for RecordType<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordType")
            .field("name", &self.name)
            .field("former", &self.former)
            .field("requires_subject", &self.needs_subject)
            .finish_non_exhaustive()
    }
}
