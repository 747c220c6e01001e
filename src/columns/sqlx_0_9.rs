//! Columns of sqlx: one generic implementation for every database that has types for bytes and text.

#[cfg(feature = "sqlx_postgres_0_9")]
mod arrays;
mod index;
mod migrating;
mod statement;

use sqlx_core::database::Database;
use sqlx_core::decode::Decode;
use sqlx_core::encode::{Encode, IsNull};
use sqlx_core::error::BoxDynError;
use sqlx_core::type_info::TypeInfo;
use sqlx_core::types::Type;
use sqlx_core::value::ValueRef;

use super::cell::{Cell, Column, read_owned};
use super::forms::SealedText;
use crate::codec::text;
use crate::field::Field;
use crate::form::Sealed;
use crate::record_tag::RecordTag;
use crate::token::{RECORD_TAG_LEN, Token};

/// A binary column (feature `sqlx_0_9`): BLOB, BYTEA, VARBINARY. A text column is read too. To write one, bind a
/// `sqlx::types::Text<Token>`.
impl<DB: Database> Type<DB> for Token
where
    Vec<u8>: Type<DB>,
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <Vec<u8> as Type<DB>>::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        <Vec<u8> as Type<DB>>::compatible(info) || <String as Type<DB>>::compatible(info)
    }
}

/// Writes the binary token (feature `sqlx_0_9`).
impl<'q, DB: Database> Encode<'q, DB> for Token
where
    Vec<u8>: Encode<'q, DB>,
{
    fn encode(self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.into_bytes().encode(buffer)
    }

    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.as_bytes().to_vec().encode(buffer)
    }

    fn size_hint(&self) -> usize {
        self.as_bytes().len()
    }
}

/// Reads a binary token, or the text of one (feature `sqlx_0_9`). Anything else is `sqlx::Error::ColumnDecode` with an [`Error`](crate::Error) in it.
impl<'r, DB: Database> Decode<'r, DB> for Token
where
    Vec<u8>: Type<DB> + Decode<'r, DB>,
    String: Type<DB> + Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        read::<DB, Self>(value)
    }
}

/// As for [`Token`]. To write a text column, bind [`sealed.to_text()`](Sealed::to_text).
impl<DB: Database, T, F> Type<DB> for Sealed<T, F>
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

/// As for [`Token`].
impl<'q, DB: Database, T, F> Encode<'q, DB> for Sealed<T, F>
where
    Token: Encode<'q, DB>,
{
    fn encode(self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.into_token().encode(buffer)
    }

    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.token().encode_by_ref(buffer)
    }

    fn size_hint(&self) -> usize {
        self.token().size_hint()
    }
}

/// As for [`Token`]; the error names the field.
///
/// ```ignore
/// use rxseal::{Sealed, phi};
///
/// type Row = (i64, Sealed<String, phi::Drug>, Option<Sealed<String, phi::Directions>>);
///
/// async fn all(db: &sqlx::SqlitePool) -> sqlx::Result<Vec<Row>> {
///     sqlx::query_as("SELECT id, drug, directions FROM rx").fetch_all(db).await
/// }
/// ```
impl<'r, DB: Database, T, F: Field> Decode<'r, DB> for Sealed<T, F>
where
    Vec<u8>: Type<DB> + Decode<'r, DB>,
    String: Type<DB> + Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        read::<DB, Self>(value)
    }
}

/// A text column (feature `sqlx_0_9`): TEXT, VARCHAR. A binary column is read too.
impl<DB: Database, T, F> Type<DB> for SealedText<T, F>
where
    Vec<u8>: Type<DB>,
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as Type<DB>>::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        <Token as Type<DB>>::compatible(info)
    }
}

/// Writes the token's text (feature `sqlx_0_9`).
impl<'q, DB: Database, T, F> Encode<'q, DB> for SealedText<T, F>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.sealed().token().to_string().encode(buffer)
    }

    fn size_hint(&self) -> usize {
        text::encoded_len(self.sealed().token().as_bytes().len())
    }
}

/// As for [`Sealed`].
impl<'r, DB: Database, T, F: Field> Decode<'r, DB> for SealedText<T, F>
where
    Sealed<T, F>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Sealed::decode(value).map(Self::from)
    }
}

/// A binary column (feature `sqlx_0_9`): BLOB, BYTEA, VARBINARY. A text column is read too. To write one, bind [`tag.text()?`](RecordTag::text).
impl<DB: Database> Type<DB> for RecordTag
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

/// Writes the binary tag (feature `sqlx_0_9`). A record that was not sealed yet has none: that is `sqlx::Error::Encode`, with the text of
/// `tag-missing` in it.
impl<'q, DB: Database> Encode<'q, DB> for RecordTag
where
    Vec<u8>: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.bytes()?.to_vec().encode(buffer)
    }

    fn size_hint(&self) -> usize {
        RECORD_TAG_LEN
    }
}

/// Reads a binary tag, or the text of one (feature `sqlx_0_9`). NULL is `tag-missing`, and anything else `not-a-tag`.
impl<'r, DB: Database> Decode<'r, DB> for RecordTag
where
    Vec<u8>: Type<DB> + Decode<'r, DB>,
    String: Type<DB> + Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        read::<DB, Self>(value)
    }
}

/// What the column has, as a `C`.
fn read<'r, DB: Database, C: Column>(value: DB::ValueRef<'r>) -> Result<C, BoxDynError>
where
    Vec<u8>: Type<DB> + Decode<'r, DB>,
    String: Type<DB> + Decode<'r, DB>,
{
    // Some drivers return NULL as an empty value.
    if value.is_null() {
        return Ok(C::from_cell(Cell::Null)?);
    }
    // SQLite and MySQL return text as bytes too. PostgreSQL does not, and neither type is compatible with what it does not know.
    let (only_text, is_text) = {
        let info = value.type_info();
        let only_text = <String as Type<DB>>::compatible(&info) && !<Vec<u8> as Type<DB>>::compatible(&info);
        (only_text, only_text || matches!(info.name(), "CHAR" | "TEXT" | "VARCHAR"))
    };
    let stored = if only_text {
        <String as Decode<'r, DB>>::decode(value)?.into_bytes()
    } else {
        <Vec<u8> as Decode<'r, DB>>::decode(value)?
    };
    Ok(read_owned(stored, is_text)?)
}
