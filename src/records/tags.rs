//! Rows with a record tag, as a program sees them.

use std::fmt;

use super::keys::RecordKeys;
use super::traits::{SealedRecord, WholeRecord, types_of, verify_tag};
use crate::error::Error;
use crate::record_tag::RecordTag;

/// A row whose fields a record tag holds together: one with `#[phi(record_tag)]`.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use rxseal::records::TaggedRecord;
/// use rxseal::{ErrorCode, PhiRecord, RecordTag, SealedRecord, phi};
///
/// #[derive(PhiRecord)]
/// #[phi(record = "prescription")]
/// struct Prescription {
///     #[phi(id)]
///     rx_number: u64,
///     #[phi(seal = phi::Drug)]
///     drug: String,
///     #[phi(clear, bind = "rx.refills")]
///     refills: u8,
///     #[phi(record_tag)]
///     tag: RecordTag,
/// }
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let rx = Prescription { rx_number: 1001, drug: "warfarin 5 MG".into(), refills: 2, tag: RecordTag::new() };
/// let row = keys.seal(&rx)?;
/// let new = row.set::<phi::Drug>(&keys, &"warfarin 2 MG".into())?;
/// assert_eq!(new.verified(&keys)?.version(), 2);
/// assert_eq!(row.verified(&keys)?.min_version(2).unwrap_err().code(), ErrorCode::TagTooOld);
///
/// let mut forged = new.clone();
/// forged.refills = 9; // or the drug's old token: `forged.drug = row.drug`
/// assert_eq!(forged.verified(&keys).unwrap_err().code(), ErrorCode::TagRefused);
/// # }
/// # Ok::<(), rxseal::Error>(())
/// ```
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
        let core = keys.handle().core_to_verify(types_of::<Self>(), self.record_ids())?;
        verify_tag(&core, self)?;
        Ok(Verified { row: self })
    }
}

/// A row whose tag was verified. [`TaggedRecord::verified`] makes it.
///
/// A tag says that the row is *a* state that was sealed. An old row that was put back with its old tag is one too. If you know better
/// from elsewhere (an audit log, the version that a client saw, the event of dispensing), ask for a [`min_version`](Self::min_version).
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

    /// Refuses a row whose cover number is below this one: after a field with `since = 2` was added and every row was
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
