//! A column of rusqlite that is being migrated.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

use crate::columns::cell::Column;
use crate::field::Field;
use crate::migrating::{Migrating, PlainColumn};

/// Writes what the column had before: TEXT or a BLOB (feature `rusqlite_0_39`). Plaintext is an error, unless the program wrote it in the
/// first step of a migration.
impl<T: PlainColumn, F: Field> ToSql for Migrating<T, F> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let refused = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        if T::IS_TEXT {
            return Ok(ToSqlOutput::Owned(Value::Text(self.text().map_err(refused)?.into_owned())));
        }
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.bytes().map_err(refused)?)))
    }
}

/// Reads a token as [`Sealed`](crate::Sealed) does. Other text, and other bytes, are plaintext (feature `rusqlite_0_39`).
impl<T: PlainColumn, F: Field> FromSql for Migrating<T, F> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        super::read(value)
    }
}
