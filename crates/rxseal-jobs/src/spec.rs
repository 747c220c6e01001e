//! What a job is: which operation, on which columns of which table, with which keyring.

mod body;
mod column;
mod operation;
mod resolve;

use rxseal::schema::RecordSchema;
use rxseal::{Error, KeyId, Keyring};
use rxseal_map::Source;
use sha2::{Digest, Sha256};

#[cfg(not(test))]
use self::body::Body;
#[cfg(test)]
pub(crate) use self::body::Body;
pub use self::column::{Column, ColumnRole};
pub(crate) use self::column::{Holds, Padding};
pub use self::operation::Operation;
use self::resolve::resolve;

/// What a job is. A worker joins a job only with the spec that it was planned with.
#[derive(Clone, Debug)]
pub struct Spec {
    body: Body,
    generation: u64,
    target: KeyId,
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
    #[cfg(test)]
    pub(crate) fn of(body: Body, generation: u64, target: KeyId) -> Self {
        Self { body, generation, target }
    }

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

    /// The columns of one role, each with its place in the cells of a row.
    pub(crate) fn places(&self, role: ColumnRole) -> impl Iterator<Item = (usize, &Column)> {
        self.columns().iter().enumerate().filter(move |(_, column)| column.role() == role)
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
