//! The columns of a job.

use rxseal::schema::{FieldSchema, Shape};
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
    holds: Holds,
}

/// What a sealed column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Holds {
    /// One token or null, or no token at all.
    #[default]
    One,
    /// One token: the absence of a value is sealed too.
    OneAlways,
    /// A list of tokens.
    List,
    /// A map of tokens.
    Map,
}

/// What decides how long the tokens of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Padding {
    pub(crate) block: u16,
    pub(crate) max_len: u32,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, role: ColumnRole, of: impl Into<String>) -> Self {
        Self { name: name.into(), role, of: of.into(), padding: None, holds: Holds::One }
    }

    /// Of a sealed field: to what its values are padded, the longest of them, and how many tokens there are.
    pub(crate) fn sealed(name: impl Into<String>, field: &FieldSchema) -> Self {
        let padding = Some(Padding { block: field.block(), max_len: field.max_len() });
        let holds = match field.shape() {
            Shape::Each => Holds::List,
            Shape::Parts => Holds::Map,
            _ if field.seals_null() && !field.is_optional() => Holds::OneAlways,
            _ => Holds::One,
        };
        Self { padding, holds, ..Self::new(name, ColumnRole::Sealed, field.id().as_str()) }
    }

    /// Whether the absence of a value is sealed too, so that NULL is no value of a sealed row.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn seals_null(&self) -> bool {
        self.holds == Holds::OneAlways
    }

    pub(crate) fn padding(&self) -> Option<Padding> {
        self.padding
    }

    pub(crate) fn holds(&self) -> Holds {
        self.holds
    }

    /// Whether it holds a list or a map of tokens.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.holds, Holds::List | Holds::Map)
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
