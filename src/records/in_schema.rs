//! A record struct in a schema.

use super::describe::Describer;
use super::traits::{PhiRecord, SealedFields, SealedRecord, WholeRecord};
use crate::error::Error;
use crate::schema::Schema;

impl Schema {
    /// The same with one more record type, as its struct says.
    ///
    /// # Errors
    ///
    /// `invalid-schema` if the schema has a record type of this name already, present or former, or the struct was not made by the derive.
    pub fn with<R: PhiRecord<Sealed: WholeRecord>>(self) -> Result<Self, Error> {
        let mut describer = Describer::default();
        R::describe(&mut describer);
        R::Sealed::describe_indexes(&mut describer);
        self.add(describer.into_record(R::Sealed::RECORD_TYPE, R::Sealed::FORMER_TYPES, R::Sealed::COVER)?)
    }
}
