//! Columns of index values in sqlx, and arrays of them in PostgreSQL.

use sqlx_core::database::Database;
use sqlx_core::decode::Decode;
use sqlx_core::encode::{Encode, IsNull};
use sqlx_core::error::BoxDynError;
use sqlx_core::types::Type;
#[cfg(feature = "sqlx_postgres_0_9")]
use sqlx_postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef, Postgres};

#[cfg(feature = "sqlx_postgres_0_9")]
use crate::index::IndexSet;
use crate::index::{Index, IndexValue};
use crate::token::Token;

/// A binary column (feature `sqlx_0_9`): BLOB, BYTEA, VARBINARY. It may be NULL: write and read an `Option` of it. A text column is read
/// too; to write one, bind `value.to_string()`.
impl<DB: Database, I> Type<DB> for IndexValue<I>
where
    Token: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <Token as Type<DB>>::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        <Token as Type<DB>>::compatible(info)
    }
}

/// Writes the bytes (feature `sqlx_0_9`).
impl<'q, DB: Database, I> Encode<'q, DB> for IndexValue<I>
where
    Vec<u8>: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.as_bytes().to_vec().encode(buffer)
    }

    fn size_hint(&self) -> usize {
        self.as_bytes().len()
    }
}

/// Reads the bytes or the text of a value (feature `sqlx_0_9`). Anything else is `index-unreadable`, in `sqlx::Error::ColumnDecode`.
impl<'r, DB: Database, I: Index> Decode<'r, DB> for IndexValue<I>
where
    Vec<u8>: Type<DB> + Decode<'r, DB>,
    String: Type<DB> + Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        super::read::<DB, Self>(value)
    }
}

/// `Vec<IndexValue<I>>`, such as the values of a query, is BYTEA[] (feature `sqlx_postgres_0_9`).
#[cfg(feature = "sqlx_postgres_0_9")]
impl<I> PgHasArrayType for IndexValue<I> {
    fn array_type_info() -> PgTypeInfo {
        Token::array_type_info()
    }

    fn array_compatible(info: &PgTypeInfo) -> bool {
        Token::array_compatible(info)
    }
}

/// BYTEA[] (feature `sqlx_postgres_0_9`). TEXT[] is read too.
#[cfg(feature = "sqlx_postgres_0_9")]
impl<I> Type<Postgres> for IndexSet<I> {
    fn type_info() -> PgTypeInfo {
        Token::array_type_info()
    }

    fn compatible(info: &PgTypeInfo) -> bool {
        Token::array_compatible(info)
    }
}

/// Writes BYTEA[], and NULL for an empty set, so that nobody sees whether it was cleared (feature `sqlx_postgres_0_9`).
#[cfg(feature = "sqlx_postgres_0_9")]
impl<I> Encode<'_, Postgres> for IndexSet<I> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if self.as_slice().is_empty() {
            return Ok(IsNull::Yes);
        }
        <&[IndexValue<I>] as Encode<'_, Postgres>>::encode(self.as_slice(), buffer)
    }
}

/// Reads an array (feature `sqlx_postgres_0_9`). NULL is the empty set, and anything else is `index-unreadable`.
#[cfg(feature = "sqlx_postgres_0_9")]
impl<'r, I: Index> Decode<'r, Postgres> for IndexSet<I> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let values = Option::<Vec<IndexValue<I>>>::decode(value)?;
        Ok(Self::from_values(values.unwrap_or_default())?)
    }
}
