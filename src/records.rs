//! Whole record structs: the traits that `#[derive(PhiRecord)]` implements, and the calls that take such a struct.

mod calls;
mod containers;
mod ids;
mod keys;
mod open;
mod parts;
mod seal;
mod subjects;
mod traits;
mod twin;
mod unique;
mod walk;

pub use ids::{AsRecordId, AsSubjectId};
pub use keys::{RecordKeys, WithSubjects};
pub use parts::{PartsTwin, PhiParts};
pub use subjects::SubjectSource;
pub use traits::{PhiFields, PhiPart, PhiRecord, SealedFields, SealedPart, SealedRecord};
pub use twin::{HasField, Own, Sealable, Twin, TwinOf};

/// What only the derive's code names.
#[doc(hidden)]
pub mod private {
    pub use super::ids::RecordIds;
    pub use super::open::RecordOpener;
    pub use super::seal::RecordSealer;
    pub use super::unique::{FieldIds, assert_unique};
    pub use super::walk::{TokenChange, TokenVisit};
    pub use crate::field::private::{Declared, declared};

    /// The sum of counts.
    #[must_use]
    pub fn sum(counts: &[usize]) -> usize {
        counts.iter().copied().fold(0, usize::saturating_add)
    }
}
