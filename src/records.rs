//! Whole record structs: the traits that `#[derive(PhiRecord)]` implements, and the calls that take such a struct.

mod calls;
mod ids;
mod open;
mod seal;
mod tags;
mod traits;
mod twin;
mod unique;
mod walk;

pub use calls::WithSubjects;
pub use ids::{AsRecordId, RecordIds, SubjectSource};
pub use open::RecordOpener;
pub use seal::RecordSealer;
pub use traits::{PhiFields, PhiPart, PhiRecord, SealedFields, SealedPart, SealedRecord};
pub use twin::{Sealable, TwinOf};
pub use unique::{FieldIds, assert_unique};
pub use walk::{TokenChange, TokenVisit};

pub use crate::record_tag::ClearValue;
#[doc(hidden)]
pub use crate::record_tag::{BoundValue, ScaledValue};
