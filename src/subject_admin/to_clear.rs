//! Index columns that have values of a shredded subject.

use crate::index::IndexColumn;

/// An index column that a shredded subject's rows must lose their values in.
///
/// An index value is made with an index root, and not with the subject's key. So it outlives that key: whoever has the index root can still
/// ask whether a row is of a certain name or birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexToClear {
    record_type: &'static str,
    column: IndexColumn,
}

impl IndexToClear {
    pub(crate) const fn new(record_type: &'static str, column: IndexColumn) -> Self {
        Self { record_type, column }
    }

    /// The record type.
    #[must_use]
    pub const fn record_type(&self) -> &'static str {
        self.record_type
    }

    /// The id of the index.
    #[must_use]
    pub const fn index_id(&self) -> &'static str {
        self.column.index_id()
    }

    /// The column.
    #[must_use]
    pub const fn column(&self) -> IndexColumn {
        self.column
    }
}
