//! The ids of a record struct.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::id::{Identifier, joined_id};

/// A value that can be a record's, a part's or a subject's id.
///
/// As text it is 1 to 255 bytes of printable ASCII without space ([`Identifier`] has the rules). Another value is `invalid-id` when the record
/// is sealed or opened. Implement it for a type of your own:
///
/// ```
/// use rxseal::{Identifier, records::AsRecordId};
///
/// struct RxNumber(u64);
///
/// impl AsRecordId for RxNumber {
///     fn as_record_id(&self) -> Identifier<'_> {
///         self.0.into()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a record id",
    note = "integers, `String` and `Uuid` (feature `uuid_1`) can; for a type of your own implement `rxseal::records::AsRecordId`"
)]
pub trait AsRecordId {
    /// The value as an id.
    fn as_record_id(&self) -> Identifier<'_>;
}

macro_rules! ids {
    (@text $($id:ty)*) => {$(
        impl AsRecordId for $id {
            fn as_record_id(&self) -> Identifier<'_> {
                let text: &str = self;
                text.into()
            }
        }
    )*};
    ($($(#[$cfg:meta])* $id:ty)*) => {$(
        $(#[$cfg])*
        impl AsRecordId for $id {
            fn as_record_id(&self) -> Identifier<'_> {
                (*self).into()
            }
        }
    )*};
}

ids!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize #[cfg(feature = "uuid_1")] uuid::Uuid);
ids!(@text String Box<str> Arc<str> Cow<'static, str>);

/// A value that can be the id of a record's subject: an [`AsRecordId`], or an `Option` of one. With `None` the record has no subject.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a subject",
    note = "integers, `String` and `Uuid` (feature `uuid_1`) can, and an `Option` of one; for a type of your own implement \
            `rxseal::records::AsRecordId`"
)]
pub trait AsSubjectId {
    /// Whether a record may have no subject.
    #[doc(hidden)]
    const IS_OPTIONAL: bool = false;

    /// The value as an id.
    fn as_subject_id(&self) -> Option<Identifier<'_>>;
}

impl<I: AsRecordId> AsSubjectId for I {
    fn as_subject_id(&self) -> Option<Identifier<'_>> {
        Some(self.as_record_id())
    }
}

impl<I: AsRecordId> AsSubjectId for Option<I> {
    const IS_OPTIONAL: bool = true;

    fn as_subject_id(&self) -> Option<Identifier<'_>> {
        self.as_ref().map(AsRecordId::as_record_id)
    }
}

/// What a record struct says of itself: its id, and the id of its subject if it has one.
pub struct RecordIds<'a> {
    record: Identifier<'a>,
    subject: Option<Identifier<'a>>,
}

impl<'a> RecordIds<'a> {
    /// Of a record with one id.
    #[must_use]
    pub fn new(record: &'a impl AsRecordId) -> Self {
        Self { record: record.as_record_id(), subject: None }
    }

    /// Of a record whose id has several fields. Their texts are joined with `/`.
    ///
    /// # Errors
    ///
    /// `invalid-id` if one of them contains `/`: two records could have one id.
    pub fn joined(ids: &[Identifier<'a>]) -> Result<Self, Error> {
        Ok(Self { record: joined_id(ids)?, subject: None })
    }

    /// The same with a subject, whose key is then needed.
    #[must_use]
    pub fn subject(self, subject: &'a impl AsSubjectId) -> Self {
        Self { subject: subject.as_subject_id(), ..self }
    }

    pub(super) fn record(&self) -> &Identifier<'a> {
        &self.record
    }

    /// The subject's id alone.
    pub(super) fn into_subject(self) -> Option<Identifier<'a>> {
        self.subject
    }

    pub(super) fn subject_id(&self) -> Option<&Identifier<'a>> {
        self.subject.as_ref()
    }
}

impl fmt::Debug for RecordIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordIds").finish_non_exhaustive()
    }
}
