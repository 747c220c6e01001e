//! What a job is: which operation, on which columns of which table, with which keyring.

mod resolve;

use std::fmt;
use std::str::FromStr;

use rxseal::schema::RecordSchema;
use rxseal::{Error, KeyId, Keyring};
use rxseal_map::Source;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::resolve::resolve;
use crate::trouble::refused;

/// What a job does to each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Plaintext becomes tokens.
    Backfill,
    /// Tokens under any key of the keyring become tokens under the primary key.
    Reseal,
    /// Index values are computed again, under the primary index root and by the present definitions.
    Reindex,
    /// Tokens become plaintext.
    Unseal,
    /// Tokens of a record without a subject become tokens with the subject's own key beside the keyring.
    AddSubject,
}

impl Operation {
    const ALL: [Self; 5] = [Self::Backfill, Self::Reseal, Self::Reindex, Self::Unseal, Self::AddSubject];

    /// Its name, such as `add-subject`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Reseal => "reseal",
            Self::Reindex => "reindex",
            Self::Unseal => "unseal",
            Self::AddSubject => "add-subject",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|operation| operation.as_str() == text);
        found.ok_or_else(|| refused("there is no such operation: backfill, reseal, reindex, unseal or add-subject"))
    }
}

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
}

/// What decides how long the tokens of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Padding {
    pub(crate) block: u16,
    pub(crate) max_len: u32,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, role: ColumnRole, of: impl Into<String>) -> Self {
        Self { name: name.into(), role, of: of.into(), padding: None }
    }

    /// Of a sealed field: to what its values are padded, and the longest of them.
    pub(crate) fn padded(mut self, block: u16, max_len: u32) -> Self {
        self.padding = Some(Padding { block, max_len });
        self
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

/// What a job is. A worker joins a job only with the spec that it was planned with.
#[derive(Clone, Debug)]
pub struct Spec {
    body: Body,
    generation: u64,
    target: KeyId,
}

/// What the digest covers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Body {
    pub(crate) operation: Operation,
    pub(crate) keyspace: String,
    /// As the map writes it.
    pub(crate) at: String,
    pub(crate) table: String,
    pub(crate) record_type: String,
    pub(crate) columns: Vec<Column>,
    /// The column that says of which keyspace a row is, if rows of several are in the table.
    pub(crate) keyspace_column: Option<String>,
    /// All that decides about a token: the classes, types and blocks of the fields.
    pub(crate) schema: serde_json::Value,
}

/// What a job was planned with, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Of the spec.
    pub digest: [u8; 32],
    /// Of the keyring.
    pub generation: u64,
    /// The key that the job seals with.
    pub target: KeyId,
}

impl Spec {
    /// What a job does to the rows of a source of the map, whose records are as the schema says, with the keys of this keyring.
    ///
    /// # Errors
    ///
    /// `job-refused` if the source is no table, or the map and the schema do not fit each other or the operation.
    pub fn new(operation: Operation, source: &Source, record: &RecordSchema, keys: &Keyring) -> Result<Self, Error> {
        let body = resolve(operation, source, record, keys.keyspace())?;
        Ok(Self { body, generation: keys.generation(), target: keys.primary_key() })
    }

    /// What it does.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.body.operation
    }

    /// The keyspace of the keyring.
    #[must_use]
    pub fn keyspace(&self) -> &str {
        &self.body.keyspace
    }

    /// The source in the map, such as `postgres:public.prescriptions`.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.body.at
    }

    /// The table, as `table` or `schema.table`.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.body.table
    }

    /// The record type.
    #[must_use]
    pub fn record_type(&self) -> &str {
        &self.body.record_type
    }

    /// The columns, in the order of the cells of each row: ids first.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.body.columns
    }

    /// The column that says of which keyspace a row is, and the keyspace whose rows the job is for. `None` if all rows are of one.
    #[must_use]
    pub fn keyspace_filter(&self) -> Option<(&str, &str)> {
        self.body.keyspace_column.as_deref().map(|column| (column, self.keyspace()))
    }

    /// The generation of the keyring.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The id of the key that the job seals with: the primary key of the keyring.
    #[must_use]
    pub fn target(&self) -> KeyId {
        self.target
    }

    /// What is stored of it, to tell whether a worker has the same.
    #[must_use]
    pub fn pinned(&self) -> Pinned {
        Pinned {
            digest: Sha256::digest(self.to_json().as_bytes()).into(),
            generation: self.generation,
            target: self.target,
        }
    }

    /// The spec as JSON, for people: names of columns and fields, and no value.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of texts has no way to fail.
        serde_json::to_string(&self.body).unwrap_or_default()
    }

    /// Whether a worker with this spec may work on a job that was planned with `stored`.
    ///
    /// # Errors
    ///
    /// `job-mismatch` if the operation, the table, a column or the schema is another, or the keyring is older or seals with another key.
    pub fn admit(&self, stored: &Pinned) -> Result<(), Error> {
        let mine = self.pinned();
        let problem = if mine.digest != stored.digest {
            "the map, the schema or the operation is another than the job was planned with: give the worker the same files, or plan a new job"
        } else if mine.generation < stored.generation {
            "the keyring is older than the one that the job was planned with: load its newest generation"
        } else if mine.target != stored.target {
            "the keyring seals with another key than when the job was planned: plan a new job"
        } else {
            return Ok(());
        };
        Err(Error::job_mismatch(problem))
    }
}
