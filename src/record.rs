//! Records: a record context with the keys that seal and open its fields.

mod audit;
mod core;
mod declared;
mod joined;
mod nested;
mod open;
mod page;
mod reader;
mod rebind;
mod reseal;
mod rows;
mod seal;
mod search;
pub(crate) mod tagged;
mod workspace;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

#[cfg(test)]
pub(crate) use self::core::with_aad;
pub(crate) use self::core::{RecordCore, check_former};
pub(crate) use audit::{Audit, Inwardly, MovingTo, Plainly, Told};
pub use declared::Backfilled;
pub(crate) use open::OpenState;
pub use page::{open_page, reseal_page, seal_page, try_open_page, try_reseal_page, try_seal_page};
pub use reader::{NotAuthentic, OpenPass, RecordReader};
pub(crate) use reader::{TokenForm, open_form};
pub use rebind::{RebindPass, rebind_page, try_rebind_page};
pub use reseal::ResealPass;
pub(crate) use reseal::move_between;
pub use rows::BackfilledRow;
pub use seal::SealPass;
pub(crate) use seal::{Claim, Nonces, SealState, seal_appending};
pub(crate) use search::SearchAudit;
pub use search::{Candidate, open_candidates};

use crate::error::{Error, ErrorKind};
use crate::id::Identifier;
use crate::key::SubjectKey;
use crate::keyring::Keyring;

/// The role of a [`Record`], as a type: [`SealAndOpen`], [`SealOnly`], [`OpenOnly`] or [`IndexOnly`].
pub trait Role: private::Sealed {}

/// A role that seals.
#[diagnostic::on_unimplemented(
    message = "a record of the role `{Self}` cannot seal",
    label = "a record that seals is needed here",
    note = "make the record with `Keyring::record` or `Sealer::record`; an `Opener` cannot seal, by design"
)]
pub trait MaySeal: Role {}

/// A role that opens.
#[diagnostic::on_unimplemented(
    message = "a record of the role `{Self}` cannot open",
    label = "a record that opens is needed here",
    note = "make the record with `Keyring::record` or `Opener::record`; a `Sealer` cannot open, by design"
)]
pub trait MayOpen: Role {}

/// The role of a [`Keyring`]'s records, which seal and open.
#[derive(Debug)]
pub enum SealAndOpen {}

/// The role of a [`Sealer`](crate::Sealer)'s records, which have no method that opens.
#[derive(Debug)]
pub enum SealOnly {}

/// The role of an [`Opener`](crate::Opener)'s records, which have no method that seals.
#[derive(Debug)]
pub enum OpenOnly {}

/// The role of an [`Indexer`](crate::index::Indexer)'s records, which have no method that seals or opens.
#[derive(Debug)]
pub enum IndexOnly {}

impl Role for SealAndOpen {}
impl Role for SealOnly {}
impl Role for OpenOnly {}
impl Role for IndexOnly {}
impl MaySeal for SealAndOpen {}
impl MaySeal for SealOnly {}
impl MayOpen for SealAndOpen {}
impl MayOpen for OpenOnly {}

mod private {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}
    impl Sealed for super::SealAndOpen {}
    impl Sealed for super::SealOnly {}
    impl Sealed for super::OpenOnly {}
    impl Sealed for super::IndexOnly {}
}

/// One record: what its tokens are bound to. It keeps the keys of the keyring that it was made from.
///
/// [`sealing`](Self::sealing) writes a whole struct with serde, and [`seal`](Self::seal) seals one field. To open, say who opens
/// with [`opened_by`](Self::opened_by).
///
/// [`Keyring::record`], [`Sealer::record`](crate::Sealer::record) [`Opener::record`](crate::Opener::record) and
/// [`Indexer::record`](crate::index::Indexer::record) make it. It is `Send` and `Sync`, may be held across an `.await`, and does no I/O.
///
/// The record id is the row's own, stable key, which you must know before you write the row. A UUIDv7 made by the program is best.
// Where its methods are: sealing in `record/seal.rs`, resealing and rebinding in `record/reseal.rs`, `opened_by` in
// `record/reader.rs`, `sealing` and `run_sealing` in `scope/sealing.rs`.
pub struct Record<R = SealAndOpen> {
    core: Arc<RecordCore>,
    role: PhantomData<fn() -> R>,
}

impl Keyring {
    /// The record of this type and id.
    ///
    /// `record_type` is a declared, stable name (`a-z 0-9 . _ -`), not a table's or a struct's.
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, record_type: &str, id: impl Into<Identifier<'a>>) -> Result<Record, Error> {
        Record::new(RecordCore::bound(self.shares(), record_type, &id.into())?)
    }

    /// A context without a record id. Its tokens can be exchanged between all records of the type, so use it only for data that has
    /// no id at all.
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn unbound(&self, record_type: &str) -> Result<Record, Error> {
        Record::new(RecordCore::unbound(self.shares(), record_type)?)
    }
}

impl<R: Role> Record<R> {
    #[expect(clippy::unnecessary_wraps, reason = "for the callers' sake: each of them ends with it")]
    pub(crate) fn new(core: RecordCore) -> Result<Self, Error> {
        Ok(Self { core: Arc::new(core), role: PhantomData })
    }

    pub(crate) fn core(&self) -> &Arc<RecordCore> {
        &self.core
    }

    /// The same record as a wide context, for ids that do not name one row each (a singleton, a queue, a log). More than 2^32 tokens of
    /// a class may be sealed in it, because its nonces are completely random. Each token is 12 bytes longer.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { core: Arc::new(self.core.to_wide()), role: PhantomData }
    }

    /// One part of this record, such as a line of a prescription. It has a context of its own, so that each part may have the same
    /// fields, and their tokens cannot be exchanged between parts.
    ///
    /// # Errors
    ///
    /// `invalid-id`, also if parts nest more than 8 deep.
    pub fn part<'a>(&self, name: &str, id: impl Into<Identifier<'a>>) -> Result<Self, Error> {
        Self::new(self.core.with_part(name, &id.into())?)
    }

    /// The same record with the key of its subject (patient) as a second factor of all its fields. A field that was sealed with a
    /// subject opens only with that subject.
    ///
    /// # Errors
    ///
    /// `subject-mismatch` if the key is of another keyspace, or the record already has a subject.
    pub fn subject(&self, key: &SubjectKey) -> Result<Self, Error> {
        if !key.is_of(self.core.shared().keys.keyspace()) || self.core.subject().is_some() {
            return Err(ErrorKind::SubjectMismatch.into());
        }
        Self::new(self.core.with_subject(key))
    }

    /// The same record, in which tokens of a former record type open too.
    ///
    /// It is for a record type that was renamed. Call it up to 4 times, with the latest name first: opening and resealing try the present
    /// type, then each former one in this order. New tokens are always of the present type, so resealing moves a token to it. While
    /// [`OpenEvent::former_types`](crate::observe::OpenEvent::former_types) is 0 for all your records, the old name can go.
    ///
    /// ```
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// use rxseal::phi::Drug;
    /// let old = keys.record("rx", 1001)?.seal::<Drug>("warfarin 5 MG")?;
    ///
    /// let record = keys.record("prescription", 1001)?.was("rx")?;
    /// let drug: String = record.opened_by(&access).open::<Drug, _>(&old)?;
    /// assert_eq!(drug, "warfarin 5 MG");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `invalid-id`, also for the present type, for one that was named before, and for a fifth.
    pub fn was(self, former_type: &str) -> Result<Self, Error>
    where
        R: MayOpen,
    {
        let core = Arc::try_unwrap(self.core).or_else(|shared| shared.copy())?;
        Self::new(core.was(&[former_type])?)
    }

    /// The record type.
    #[must_use]
    pub fn record_type(&self) -> &str {
        self.core.context().record_type()
    }
}

impl<R> fmt::Debug for Record<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is left out, because it often identifies a patient.
        f.debug_struct("Record").field("record_type", &self.core.context().record_type()).finish_non_exhaustive()
    }
}
