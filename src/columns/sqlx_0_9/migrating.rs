//! A column of sqlx that is being migrated.

use sqlx_core::database::Database;
use sqlx_core::decode::Decode;
use sqlx_core::encode::{Encode, IsNull};
use sqlx_core::error::BoxDynError;
use sqlx_core::types::Type;

use crate::columns::cell::Column;
use crate::field::Field;
use crate::migrating::{Migrating, PlainColumn};

/// A column as it was before its migration, of text or of bytes (feature `sqlx_0_9`).
impl<DB: Database, T: PlainColumn, F> Type<DB> for Migrating<T, F>
where
    Vec<u8>: Type<DB>,
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        if T::IS_TEXT { <String as Type<DB>>::type_info() } else { <Vec<u8> as Type<DB>>::type_info() }
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        <Vec<u8> as Type<DB>>::compatible(info) || <String as Type<DB>>::compatible(info)
    }
}

/// Writes the token's text, or the binary token if the column has bytes (feature `sqlx_0_9`). Plaintext is an error, unless the program
/// wrote it in the first step of a migration.
impl<'q, DB: Database, T: PlainColumn, F: Field> Encode<'q, DB> for Migrating<T, F>
where
    Vec<u8>: Encode<'q, DB>,
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if T::IS_TEXT { self.text()?.into_owned().encode(buffer) } else { self.bytes()?.to_vec().encode(buffer) }
    }
}

/// Reads a token as [`Sealed`](crate::Sealed) does. Other text, and other bytes, are plaintext (feature `sqlx_0_9`).
impl<'r, DB: Database, T: PlainColumn, F: Field> Decode<'r, DB> for Migrating<T, F>
where
    Vec<u8>: Type<DB> + Decode<'r, DB>,
    String: Type<DB> + Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        super::read::<DB, Self>(value)
    }
}
