//! Which index columns a shredded subject's rows lose their values in.

use super::traits::SealedRecord;
use crate::subject_admin::{IndexToClear, SubjectAdmin};

impl SubjectAdmin {
    /// Names a record type whose rows have index columns: `admin.indexed::<SealedPatient>()`. Call it once for each such type.
    ///
    /// The receipt of a shredded subject lists these columns ([`ShredReceipt::to_clear`](crate::subjects::ShredReceipt::to_clear)), and is
    /// not complete until [`indexes_cleared`](Self::indexes_cleared) says that they hold no value of the subject.
    #[must_use]
    pub fn indexed<S: SealedRecord>(self) -> Self {
        self.with_indexes(S::INDEX_COLUMNS.iter().map(|column| IndexToClear::new(S::RECORD_TYPE, *column)))
    }
}
