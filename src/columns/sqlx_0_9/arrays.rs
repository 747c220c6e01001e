//! Arrays of tokens in PostgreSQL, for array columns and for `UNNEST`, which inserts many rows with one statement.

use sqlx_core::types::Type;
use sqlx_postgres::{PgHasArrayType, PgTypeInfo, PgTypeKind, Postgres};

use crate::columns::SealedText;
use crate::form::Sealed;
use crate::record_tag::RecordTag;
use crate::token::Token;

/// `Vec<Token>` is written as BYTEA[] (feature `sqlx_postgres_0_9`), and read from BYTEA[] and TEXT[].
impl PgHasArrayType for Token {
    fn array_type_info() -> PgTypeInfo {
        Vec::<u8>::array_type_info()
    }

    fn array_compatible(info: &PgTypeInfo) -> bool {
        is_array_of_tokens(info)
    }
}

/// As for [`Token`].
impl<T, F> PgHasArrayType for Sealed<T, F> {
    fn array_type_info() -> PgTypeInfo {
        Token::array_type_info()
    }

    fn array_compatible(info: &PgTypeInfo) -> bool {
        is_array_of_tokens(info)
    }
}

/// As for [`Token`].
impl PgHasArrayType for RecordTag {
    fn array_type_info() -> PgTypeInfo {
        Token::array_type_info()
    }

    fn array_compatible(info: &PgTypeInfo) -> bool {
        is_array_of_tokens(info)
    }
}

/// `Vec<SealedText<T, F>>` is written as TEXT[] (feature `sqlx_postgres_0_9`), and read from BYTEA[] and TEXT[].
impl<T, F> PgHasArrayType for SealedText<T, F> {
    fn array_type_info() -> PgTypeInfo {
        String::array_type_info()
    }

    fn array_compatible(info: &PgTypeInfo) -> bool {
        is_array_of_tokens(info)
    }
}

/// An element may be of a domain over either form, and the array may be in a domain itself.
fn is_array_of_tokens(info: &PgTypeInfo) -> bool {
    match info.kind() {
        PgTypeKind::Array(element) => <Token as Type<Postgres>>::compatible(element),
        PgTypeKind::Domain(base) => is_array_of_tokens(base),
        _ => false,
    }
}
