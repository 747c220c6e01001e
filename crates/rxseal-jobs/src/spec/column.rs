//! The columns of a job.

use serde::Serialize;

/// What a column is for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnRole {
    /// A part of the record's id.
    Id,
    /// The id of the record's subject.
    Subject,
    /// A sealed field.
    Sealed,
    /// The value of a blind index.
    Index,
    /// The record tag.
    Tag,
    /// A readable value that the record tag covers.
    Clear,
}

/// A column that a job reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    name: String,
    role: ColumnRole,
    /// The field's id, the index's, or what the tag covers the value as.
    of: String,
    padding: Option<Padding>,
    /// The digest covers it as a part of the schema.
    #[serde(skip)]
    seals_null: bool,
}

/// What decides how long the tokens of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Padding {
    pub(crate) block: u16,
    pub(crate) max_len: u32,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, role: ColumnRole, of: impl Into<String>) -> Self {
        Self { name: name.into(), role, of: of.into(), padding: None, seals_null: false }
    }

    /// Of a sealed field: to what its values are padded, and the longest of them.
    pub(crate) fn padded(mut self, block: u16, max_len: u32) -> Self {
        self.padding = Some(Padding { block, max_len });
        self
    }

    /// Of a sealed field: whether the absence of a value is sealed too, so that NULL is no value of a sealed row.
    pub(crate) fn sealing_null(mut self, seals_null: bool) -> Self {
        self.seals_null = seals_null;
        self
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn seals_null(&self) -> bool {
        self.seals_null
    }

    pub(crate) fn padding(&self) -> Option<Padding> {
        self.padding
    }

    /// Its name in the table.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    #[must_use]
    pub fn role(&self) -> ColumnRole {
        self.role
    }

    /// The id of the field or of the index, or what a record tag covers the value as. Empty for other columns.
    #[must_use]
    pub fn of(&self) -> &str {
        &self.of
    }

    /// Whether a job may write it.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self.role, ColumnRole::Sealed | ColumnRole::Index | ColumnRole::Tag)
    }
}
