//! The tag of a row: made when the row is sealed, verified before it is opened (FORMAT 14).

use std::fmt;

use super::keys::RecordKeys;
use super::open::RecordOpener;
use super::seal::{RecordSealer, Sealing};
use super::traits::{PhiRecord, SealedRecord};
use super::walk::TokenVisit;
use crate::error::Error;
use crate::field::Field;
use crate::id::{FieldId, Identifier};
use crate::record::{OpenState, RecordCore};
use crate::record_tag::{Cover, RecordTag, tag_record, verify_record};
use crate::token::Token;

/// A row with all fields of its record, as `#[derive(PhiRecord)]` makes it. A struct that says `projection` selects fewer columns, so
/// the record's tag cannot be verified with it: it has `open_unverified` and nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a projection, whose record tag cannot be verified",
    note = "it selects fewer columns than its record has: read it with `open_unverified`, and seal the whole record"
)]
pub trait WholeRecord: SealedRecord {}

/// A row whose fields a record tag holds together: one with `#[phi(record_tag)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no record tag",
    note = "give the struct a field `#[phi(record_tag)] tag: rxseal::RecordTag`"
)]
pub trait TaggedRecord: WholeRecord {
    /// Verifies the tag: that all tokens and bound values of the row are those that were sealed together, in this record. It opens
    /// nothing, and needs neither the keys of the fields' classes nor the key of a subject. So a label printer that may open the drug
    /// alone can verify the whole record.
    ///
    /// `keys` is a keyring or a handle of one.
    ///
    /// # Errors
    ///
    /// `tag-refused` if anything differs, `tag-missing` if the row has no tag; `cover-unknown`; `unknown-key`, `key-destroyed`,
    /// `key-compromised`; `invalid-id`.
    fn verified<K: RecordKeys>(&self, keys: &K) -> Result<Verified<'_, Self>, Error> {
        let core = keys.handle().core_to_verify(Self::RECORD_TYPE, self.record_ids())?;
        verify(&core, self)?;
        Ok(Verified { row: self })
    }
}

/// A row whose tag was verified. [`TaggedRecord::verified`] makes it.
///
/// A tag says that the row is *a* state that was sealed. An old row that was put back with its old tag is one too. If you know better
/// from elsewhere (an audit log, the tag that a client saw, the event of dispensing), ask for a [`min_version`](Self::min_version).
pub struct Verified<'r, S> {
    row: &'r S,
}

impl<'r, S: TaggedRecord> Verified<'r, S> {
    /// How often the record was sealed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.row.record_tag().map_or(0, RecordTag::version)
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> &'r S {
        self.row
    }

    /// Refuses a row that is older than this version.
    ///
    /// # Errors
    ///
    /// `tag-too-old`.
    pub fn min_version(self, version: u64) -> Result<Self, Error> {
        self.at_least(version, 0)
    }

    /// Refuses a row whose tag covers less than this cover number says: after a field with `since = 2` was added and every row was
    /// resealed, `min_cover(2)` refuses a row of before.
    ///
    /// # Errors
    ///
    /// `tag-too-old`.
    pub fn min_cover(self, number: u8) -> Result<Self, Error> {
        self.at_least(0, number)
    }

    fn at_least(self, version: u64, cover: u8) -> Result<Self, Error> {
        let tag = self.row.record_tag().copied().unwrap_or_default();
        tag.at_least(version, cover).map_err(|error| error.in_record(S::RECORD_TYPE))?;
        Ok(self)
    }
}

impl<S> Clone for Verified<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Verified<'_, S> {}

impl<S: SealedRecord> fmt::Debug for Verified<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.row.record_tag()).finish()
    }
}

/// Seals a record, and makes its tag if it has one.
pub(super) fn seal<P: PhiRecord>(record: &P, core: &RecordCore, sealing: &mut Sealing) -> Result<P::Sealed, Error> {
    let mut row = record.seal_fields(&mut RecordSealer::begin(core, sealing)?)?;
    renew(core, &mut row)?;
    Ok(row)
}

/// Verifies a row's tag if it has one, and opens it.
pub(super) fn open<S: SealedRecord>(row: &S, core: &RecordCore, state: &mut OpenState) -> Result<S::Open, Error> {
    verify(core, row).inspect_err(|error| state.note_failure(error))?;
    row.open_fields(&mut RecordOpener::of(core, state))
}

/// Verifies the tag of a row, if rows of its type have one.
pub(super) fn verify<S: SealedRecord>(core: &RecordCore, row: &S) -> Result<(), Error> {
    let Some(tag) = row.record_tag() else { return Ok(()) };
    let former = || S::FORMER_TYPES.iter().map(|former| core.context().with_type(former)).collect();
    let verify = |mut cover| verify_record(&core.shared().keys, core.context(), &mut cover, S::COVER, tag, former);
    cover_of(row).and_then(verify).map_err(|error| error.in_record(core.context().record_type()))
}

/// Gives a row the tag of its tokens and bound values, if rows of its type have one: of the version after the one that it has.
pub(super) fn renew<S: SealedRecord>(core: &RecordCore, row: &mut S) -> Result<(), Error> {
    let Some(former) = row.record_tag() else { return Ok(()) };
    let make = |mut cover| tag_record(&core.shared().keys, core.context(), &mut cover, S::COVER, former);
    let renewed = cover_of(row).and_then(make).map_err(|error| error.in_record(core.context().record_type()))?;
    if let Some(tag) = row.record_tag_mut() {
        *tag = renewed;
    }
    Ok(())
}

fn cover_of<S: SealedRecord>(row: &S) -> Result<Cover, Error> {
    let mut cover = Cover::default();
    row.visit_tokens(&mut cover)?;
    Ok(cover)
}

impl TokenVisit for Cover {
    fn token<F: Field>(&mut self, token: &Token) -> Result<(), Error> {
        self.sealed(F::ID, F::FORMER, token);
        Ok(())
    }

    fn clear(&mut self, id: FieldId, text: Option<&str>) -> Result<(), Error> {
        if let Some(text) = text {
            Self::clear(self, id, text);
        }
        Ok(())
    }

    fn since(&mut self, number: u8) {
        Self::since(self, number);
    }

    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        Self::enter(self, name, id)
    }

    fn leave(&mut self) {
        Self::leave(self);
    }
}
