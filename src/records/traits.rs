//! What a struct of sealed fields is, in plaintext and sealed.

use super::ids::RecordIds;
use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::unique::FieldIds;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;
use crate::id::Identifier;

/// A struct or an enum, each of whose fields says whether it is sealed. `#[derive(PhiRecord)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sealed form",
    note = "write `#[derive(rxseal::PhiRecord)]` for it, with `#[phi(nested)]` if it shares its parent's context and `#[phi(part)]` if it \
            is repeated"
)]
pub trait PhiFields: Sized {
    /// The same struct with its sealed fields as tokens: what is stored.
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
}

/// What a [`PhiFields`] is sealed to. `#[derive(PhiRecord)]` implements it for the struct that it makes.
pub trait SealedFields: Clone {
    /// The struct in plaintext.
    type Open: PhiFields<Sealed = Self>;

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
    note = "write `#[derive(rxseal::PhiRecord)]` and `#[phi(record = \"declared.type\")]` for it"
)]
pub trait PhiRecord: PhiFields<Sealed: SealedRecord> {
    /// The record's own id, and its subject's.
    #[doc(hidden)]
    fn record_ids(&self) -> Result<RecordIds<'_>, Error>;
}

/// What a [`PhiRecord`] is sealed to: the row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the row of a record struct",
    note = "`#[derive(rxseal::PhiRecord)]` makes the row's type: `SealedPrescription` for a `Prescription`"
)]
pub trait SealedRecord: SealedFields {
    /// The record type: a declared, stable name.
    const RECORD_TYPE: &'static str;
    /// Up to 4 former record types. What was sealed under one opens, and new tokens never use them.
    const FORMER_TYPES: &'static [&'static str] = &[];

    /// The row's own id, and its subject's.
    #[doc(hidden)]
    fn record_ids(&self) -> Result<RecordIds<'_>, Error>;
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
