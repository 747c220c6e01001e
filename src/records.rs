//! Whole record structs: the traits that `#[derive(PhiRecord)]` implements, and the calls that take such a struct.

mod calls;
mod change;
mod check;
mod containers;
mod counting;
mod derived;
mod ids;
mod keys;
mod open;
mod parts;
mod round_trip;
mod seal;
mod subjects;
mod tagging;
mod tags;
mod traits;
mod twin;
mod unique;
mod via;
mod walk;

pub use ids::{AsRecordId, AsSubjectId};
pub use keys::{RecordKeys, WithSubjects};
pub use parts::{PartsTwin, PhiParts};
pub use subjects::SubjectSource;
pub use tags::{TaggedRecord, Verified};
pub use traits::{PhiFields, PhiPart, PhiRecord, SealedFields, SealedPart, SealedRecord, WholeRecord};
pub use twin::{HasField, Own, Sealable, Twin, TwinOf};
pub use via::{SerdeWith, Via, With};

pub use crate::record_tag::ClearValue;

// What only the derive's code names: `rxseal::__private` has it, and the documentation of this module has not.
#[doc(hidden)]
pub use crate::record_tag::{BoundValue, ScaledValue};
#[doc(hidden)]
pub use derived::{ClearField, HiddenField, IsOption};
#[doc(hidden)]
pub use ids::{RecordIds, joined_id};
#[doc(hidden)]
pub use open::RecordOpener;
#[doc(hidden)]
pub use parts::sum;
#[doc(hidden)]
pub use seal::RecordSealer;
#[doc(hidden)]
pub use unique::{FieldIds, assert_unique};
#[doc(hidden)]
pub use walk::{TokenChange, TokenVisit};
