//! What a struct of sealed fields is, in plaintext and sealed.

use super::check::{NeedsReseal, Opens};
use super::describe::Describer;
use super::ids::RecordIds;
use super::indexed::Unindexed;
use super::keys::{RecordKeys, Types};
use super::open::RecordOpener;
use super::row_indexer::RowIndexer;
use super::seal::{RecordSealer, Sealing};
use super::twin::{HasField, TwinOf};
use super::unique::FieldIds;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;
use crate::field::Field;
use crate::id::Identifier;
use crate::index::IndexColumn;
use crate::record::{MayOpen, MaySeal, RecordCore, tagged};
use crate::record_tag::RecordTag;

/// A struct or an enum, each of whose fields says whether it is sealed. `#[derive(PhiRecord)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sealed form",
    note = "write `#[derive(rxseal::PhiRecord)]` for it, with `#[phi(nested)]` if it shares its parent's context and `#[phi(part)]` if it \
            is repeated"
)]
pub trait PhiFields: Sized {
    /// Its twin: the same struct with its sealed fields as tokens, which is stored.
    type Sealed: SealedFields<Open = Self>;
    #[doc(hidden)]
    const FIELDS: FieldIds;

    /// How many contexts beside its own it is sealed in.
    #[doc(hidden)]
    fn contexts(&self) -> usize {
        0
    }

    #[doc(hidden)]
    fn seal_fields(&self, sealer: &mut RecordSealer<'_>) -> Result<Self::Sealed, Error>;

    /// Wipes the values of sealed fields whose types can be wiped: of a candidate of a search that nobody gets.
    #[doc(hidden)]
    fn wipe_sealed(&mut self) {}

    /// Says what its fields are, in their order.
    #[doc(hidden)]
    fn describe(describer: &mut Describer) {
        describer.refuse();
    }
}

/// The twin of a [`PhiFields`]: what that is sealed to. `#[derive(PhiRecord)]` implements it for the struct that it makes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not sealed",
    note = "`#[derive(rxseal::PhiRecord)]` makes the sealed struct: `SealedPrescription` for a `Prescription`"
)]
pub trait SealedFields: Clone {
    /// The struct in plaintext.
    type Open: PhiFields<Sealed = Self>;
    /// The cover number of what is sealed now: the highest `since` of its fields, nested structs and parts, or 1.
    #[doc(hidden)]
    const COVER: u8 = 1;

    #[doc(hidden)]
    fn open_fields(&self, opener: &mut RecordOpener<'_>) -> Result<Self::Open, Error>;

    /// Shows every token, and what a record tag covers, in the order of the fields.
    #[doc(hidden)]
    fn visit_tokens(&self, visit: &mut impl TokenVisit) -> Result<(), Error>;

    /// Gives every token to be replaced, in the order of the fields.
    #[doc(hidden)]
    fn change_tokens(&mut self, change: &mut impl TokenChange) -> Result<(), Error>;
}

/// A record struct. `#[derive(PhiRecord)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a record struct",
    note = "write `#[derive(rxseal::PhiRecord)]` and `#[phi(record = \"declared.type\")]` for it",
    note = "if it is a row, it is sealed already: `keys.open(&row, &access)` opens it, and `keys.reseal(&row)` seals it anew"
)]
pub trait PhiRecord: PhiFields<Sealed: SealedRecord> {
    /// The record's own id, and its subject's.
    #[doc(hidden)]
    fn record_ids(&self) -> Result<RecordIds<'_>, Error>;
}

/// What a [`PhiRecord`] is sealed to: a row.
///
/// [`records`](crate::records) has an example of its methods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the row of a record struct",
    note = "`#[derive(rxseal::PhiRecord)]` makes the row's type: `SealedPrescription` for a `Prescription`"
)]
pub trait SealedRecord: SealedFields {
    /// The record type: a declared, stable name.
    const RECORD_TYPE: &'static str;
    /// Up to 4 former record types. What was sealed under one opens, and new tokens never use them.
    const FORMER_TYPES: &'static [&'static str] = &[];
    /// The index columns: `#[phi(index = ..)]` makes them.
    const INDEX_COLUMNS: &'static [IndexColumn] = &[];

    /// Empties the index columns, so that the row is found by none: for a patient who was shredded.
    fn clear_indexes(&mut self) {}

    /// Gives each index column what the record in plaintext has there.
    #[doc(hidden)]
    fn index_fields(&mut self, plain: &Self::Open, indexer: &mut RowIndexer<'_>) -> Result<(), Error> {
        let _ = (plain, indexer);
        Ok(())
    }

    /// Says what the index columns are, in their order.
    #[doc(hidden)]
    fn describe_indexes(describer: &mut Describer) {
        if !Self::INDEX_COLUMNS.is_empty() {
            describer.refuse();
        }
    }

    /// The tag, if rows of this type have one.
    #[doc(hidden)]
    fn record_tag(&self) -> Option<&RecordTag> {
        None
    }

    #[doc(hidden)]
    fn record_tag_mut(&mut self) -> Option<&mut RecordTag> {
        None
    }

    /// The row's own id, and its subject's.
    #[doc(hidden)]
    fn record_ids(&self) -> Result<RecordIds<'_>, Error>;

    /// The row with a new value of one field: `row.set::<Directions>(&keys, &text)?`. The other tokens stay as they are, and are not opened.
    ///
    /// If rows of this type have a record tag, it is verified first, and the new row has the tag of the next version. Write the row only
    /// if the stored one still has the old tag (`UPDATE .. WHERE tag = ..`), and nobody's change is lost.
    ///
    /// A field that an index is made of cannot be set alone, since its index values are made of the record in plaintext: that does not
    /// compile. Open the row, change the field, and seal the record.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`](crate::Record::seal); `invalid-id`; `subject-missing`; with a record tag those of
    /// [`verified`](super::TaggedRecord::verified).
    fn set<F: Field>(
        &self,
        keys: &impl RecordKeys<Role: MaySeal>,
        value: &<Self as HasField<F>>::Value,
    ) -> Result<Self, Error>
    where
        Self: WholeRecord + HasField<F, Index: Unindexed>,
    {
        let core = keys.handle().core(types_of::<Self>(), self.record_ids())?;
        let mut sealing = Sealing::in_contexts(Self::Marker::contexts(value).saturating_add(1));
        verify_tag(&core, self)?;
        let mut row = self.clone();
        *row.twin_mut() = Self::Marker::seal_twin(value, &mut RecordSealer::begin(&core, &mut sealing)?)?;
        renew_tag(&core, &mut row)?;
        Ok(row)
    }

    /// Checks that every token opens as the field of this record that it is stored as. Call it before you save a row that was copied, or
    /// whose id was changed: what is bound to another record never opens again ([`Keyring::rebind`](crate::Keyring::rebind) moves it).
    ///
    /// No value leaves, so it is no opening, and the observer is not told.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`](crate::RecordReader::open), except `refused-by-observer` and `type-mismatch`; `invalid-id`;
    /// `subject-missing`.
    fn check(&self, keys: &impl RecordKeys<Role: MayOpen>) -> Result<(), Error>
    where
        Self: WholeRecord,
    {
        let core = keys.handle().core(types_of::<Self>(), self.record_ids())?;
        verify_tag(&core, self)?;
        self.visit_tokens(&mut Opens::of(core))
    }

    /// Whether [`Keyring::reseal`](crate::Keyring::reseal) would move a token or the record tag to another key.
    ///
    /// # Errors
    ///
    /// `unknown-key` if the keyring does not have the key of one of them; `invalid-id` if the id of a part cannot be told.
    fn needs_reseal(&self, keys: &impl RecordKeys) -> Result<bool, Error> {
        let handle = keys.handle();
        let mut asked = NeedsReseal::of(handle.keys());
        let tag = self.record_tag().and_then(RecordTag::key_id).map_or(Ok(()), |key| asked.key(key));
        let tokens = tag.and_then(|()| self.visit_tokens(&mut asked));
        tokens.map_err(|error| error.in_record(Self::RECORD_TYPE))?;
        Ok(asked.needs)
    }
}

/// A row with all fields of its record. `#[derive(PhiRecord)]` implements it, except for a struct that says `projection`: it selects fewer
/// columns, so it is neither sealed nor resealed, and a record tag cannot be verified with it. It opens with `open_unverified`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the row of a whole record",
    note = "`#[derive(rxseal::PhiRecord)]` makes the row's type: `SealedPrescription` for a `Prescription`",
    note = "a struct that says `projection` opens with `open_unverified`, and everything else needs the struct of the whole record; in \
            generic code, ask for `WholeRecord`"
)]
pub trait WholeRecord: SealedRecord {}

/// What a row says of its record type.
pub(super) fn types_of<S: SealedRecord>() -> Types<'static> {
    (S::RECORD_TYPE, S::FORMER_TYPES)
}

/// Verifies the tag of a row, if rows of its type have one.
pub(super) fn verify_tag<S: SealedRecord>(core: &RecordCore, row: &S) -> Result<(), Error> {
    match row.record_tag() {
        Some(tag) => tagged::verify(core, (tag, S::COVER), |cover| row.visit_tokens(cover)),
        None => Ok(()),
    }
}

/// Gives a row the tag of its tokens and bound values, if rows of its type have one: of the version after the one that it has.
pub(super) fn renew_tag<S: SealedRecord>(core: &RecordCore, row: &mut S) -> Result<(), Error> {
    let Some(former) = row.record_tag() else { return Ok(()) };
    let renewed = tagged::renew(core, (former, S::COVER), |cover| row.visit_tokens(cover))?;
    if let Some(tag) = row.record_tag_mut() {
        *tag = renewed;
    }
    Ok(())
}

/// A part of a record, such as a line of a prescription: a struct with an id within its record. `#[derive(PhiRecord)]` with
/// `#[phi(part)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of a record",
    note = "write `#[derive(rxseal::PhiRecord)]` and `#[phi(part)]` for it, and `#[phi(id)]` on the field that is its id"
)]
pub trait PhiPart: PhiFields<Sealed: SealedPart> {
    /// The part's id within its record.
    #[doc(hidden)]
    fn part_id(&self) -> Result<Identifier<'_>, Error>;
}

/// What a [`PhiPart`] is sealed to.
pub trait SealedPart: SealedFields {
    /// The part's id within its record.
    #[doc(hidden)]
    fn part_id(&self) -> Result<Identifier<'_>, Error>;
}
