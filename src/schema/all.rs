//! All record types of a program.

use super::file;
use super::record::RecordSchema;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind, Reason};
use crate::kdf;
use crate::key::IndexSchema;

/// More than a program has, and little enough to read.
const MAX_RECORDS: usize = 1024;

/// The record types of a program: what a tool that has no Rust types knows of its tables. [The module](crate::schema) has an example.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema(Vec<RecordSchema>);

impl Schema {
    /// The longest schema file in bytes.
    pub const MAX_LEN: usize = 4 * 1024 * 1024;

    /// A schema without record types.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn add(mut self, record: RecordSchema) -> Result<Self, Error> {
        const TOO_MANY: Reason = "a schema has at most 1024 record types";
        const TWICE: Reason = "a record type is there twice, or the former name of one is the name of another";
        let refused = |reason| Err(ErrorKind::InvalidSchema.because(reason).in_record(record.record_type()));
        if self.0.len() >= MAX_RECORDS {
            return refused(TOO_MANY);
        }
        let names = |record: &RecordSchema| -> Vec<Box<str>> {
            std::iter::once(record.record_type()).chain(record.former_types()).map(Box::from).collect()
        };
        let own = names(&record);
        if self.0.iter().flat_map(names).any(|name| own.contains(&name)) {
            return refused(TWICE);
        }
        self.0.push(record);
        Ok(self)
    }

    /// The record types, in the order in which they were added.
    #[must_use]
    pub fn records(&self) -> &[RecordSchema] {
        &self.0
    }

    /// The record type of this present name.
    #[must_use]
    pub fn record(&self, record_type: &str) -> Option<&RecordSchema> {
        self.0.iter().find(|record| record.record_type() == record_type)
    }

    /// Its text, for a file that is checked in: `rxseal-schema.json`. The same record types have the same text, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        file::to_json(&self.0)
    }

    /// A schema from its text. A member that is not known is refused: a newer release may have written it, and it may matter.
    ///
    /// Field ids and classes of a file are kept for as long as the program runs, 4,096 different names at most. Beyond that, a schema with
    /// further names is refused.
    ///
    /// # Errors
    ///
    /// `invalid-schema`, with line and column if the text is no schema; `invalid-id` for a name that is not valid.
    pub fn parse(json: &str) -> Result<Self, Error> {
        const TOO_LONG: Reason = "it is longer than 4 MiB";
        if json.len() > Self::MAX_LEN {
            return Err(ErrorKind::InvalidSchema.because(TOO_LONG));
        }
        file::parse(json)?.into_iter().try_fold(Self::default(), Self::add)
    }

    /// The SHA-256 of [`to_json`](Self::to_json): two schemas with one digest say the same.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        kdf::sha256(Backend::default(), self.to_json().as_bytes())
    }

    /// The indexes of all record types.
    #[must_use]
    pub fn indexes(&self) -> IndexSchema {
        let mut indexes = IndexSchema::default();
        for index in self.0.iter().flat_map(RecordSchema::indexes) {
            std::iter::once(index.digest()).chain(index.former()).for_each(|digest| indexes.add(index.id(), *digest));
        }
        indexes
    }
}
