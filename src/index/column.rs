//! An index column of a row.

use super::Index;
use super::definition::Kind;

/// An index column of the rows of a record struct: [`SealedRecord::INDEX_COLUMNS`](crate::SealedRecord::INDEX_COLUMNS) lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexColumn {
    index_id: &'static str,
    name: &'static str,
    kind: Kind,
}

impl IndexColumn {
    /// The column of an index. The derive's code calls it.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<I: Index>(name: &'static str) -> Self {
        Self { index_id: I::DEFINITION.id(), name, kind: I::DEFINITION.kind() }
    }

    /// The id of the index, such as `patient.born`.
    #[must_use]
    pub const fn index_id(&self) -> &'static str {
        self.index_id
    }

    /// The name of the row's field.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The kind of the index: whether a row has one value or several.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}
