//! Columns of sea-orm: one implementation for every database that it knows.

use std::sync::Arc;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ActiveValue, ColIdx, DbErr, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};

use super::cell::{Cell, Column, read_owned};
use super::forms::SealedText;
use crate::error::Error;
use crate::field::Field;
use crate::form::Sealed;
use crate::index::{Index, IndexValue};
use crate::migrating::{Migrating, PlainColumn};
use crate::record_tag::RecordTag;
use crate::token::Token;

/// Reads bytes, or text if the database does not give it as bytes.
fn read<C: Column, I: ColIdx>(row: &QueryResult, index: I) -> Result<C, TryGetError> {
    let column = match Vec::<u8>::try_get_by(row, index) {
        Ok(bytes) => read_owned(bytes, false),
        Err(TryGetError::Null(column)) => {
            // An `Option` looks for this error.
            return C::from_cell(Cell::Null).map_err(|error| TryGetError::Null(format!("{column}: {error}")));
        }
        Err(error) => match String::try_get_by(row, index) {
            Ok(text) => read_owned(text.into_bytes(), true),
            Err(_) => return Err(error),
        },
    };
    column.map_err(refused)
}

fn refused(error: Error) -> TryGetError {
    TryGetError::DbErr(DbErr::TryIntoErr { from: "column", into: "rxseal token", source: Arc::new(error) })
}

fn from_value<C: Column>(value: &Value) -> Result<C, ValueTypeErr> {
    let column = match value {
        Value::Bytes(Some(bytes)) => C::from_cell(Cell::Bytes(bytes)),
        Value::String(Some(text)) => C::from_cell(Cell::Text(text.as_bytes())),
        _ => return Err(ValueTypeErr),
    };
    column.map_err(|_| ValueTypeErr)
}

fn value(column: &impl Column, is_text: bool) -> Value {
    if is_text && let Ok(text) = column.text() {
        return Value::String(Some(text.into_owned()));
    }
    Value::Bytes(column.bytes().ok().map(<[u8]>::to_vec))
}

#[cfg(feature = "sea_orm_postgres_2")]
mod arrays;

macro_rules! column {
    ([$($generics:tt)*] $column:ty, $is_text:expr, |$this:ident| $value:expr, $doc:literal) => {
        #[doc = $doc]
        impl<$($generics)*> From<$column> for Value {
            fn from($this: $column) -> Self {
                $value
            }
        }

        #[doc = $doc]
        impl<$($generics)*> ValueType for $column {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                from_value(&value)
            }

            fn type_name() -> String {
                stringify!($column).to_owned()
            }

            fn array_type() -> ArrayType {
                if $is_text { ArrayType::String } else { ArrayType::Bytes }
            }

            fn column_type() -> ColumnType {
                if $is_text { ColumnType::Text } else { ColumnType::Blob }
            }
        }

        #[doc = $doc]
        impl<$($generics)*> Nullable for $column {
            fn null() -> Value {
                if $is_text { Value::String(None) } else { Value::Bytes(None) }
            }
        }

        #[doc = $doc]
        impl<$($generics)*> TryGetable for $column {
            fn try_get_by<At: ColIdx>(row: &QueryResult, index: At) -> Result<Self, TryGetError> {
                read(row, index)
            }
        }

        #[doc = $doc]
        impl<$($generics)*> IntoActiveValue<$column> for $column {
            fn into_active_value(self) -> ActiveValue<$column> {
                ActiveValue::Set(self)
            }
        }
    };
}

column!(
    [] Token, false, |token| value(&token, false),
    "A binary column (feature `sea_orm_2`): it is written as a binary token, and read as that or as a token's text. For a text column in \
     PostgreSQL take a [`SealedText`]. Anything else is [`DbErr::TryIntoErr`] with an [`Error`] in it."
);
column!(
    [T, F: Field] Sealed<T, F>, false, |sealed| value(&sealed, false),
    "As for [`Token`]; the error names the field."
);
column!(
    [T, F: Field] SealedText<T, F>, true, |sealed| value(&sealed, true),
    "A text column (feature `sea_orm_2`), otherwise as for [`Sealed`]."
);
column!(
    [T: PlainColumn, F: Field] Migrating<T, F>, T::IS_TEXT, |migrating| value(&migrating.written_in_any_case(), T::IS_TEXT),
    "A column as it was before its migration, of text or of bytes (feature `sea_orm_2`). What does not begin as a token does is plaintext."
);
column!(
    [] RecordTag, true, |tag| value(&tag, true),
    "A text column (feature `sea_orm_2`), which has 64 characters. A tag that was not sealed yet is NULL, which the column must refuse."
);
column!(
    [I: Index] IndexValue<I>, false, |stored| value(&stored, false),
    "A binary column (feature `sea_orm_2`), of which an `Option` may be NULL. A text column is read too. Anything else is \
     `index-unreadable`, as [`DbErr::TryIntoErr`]."
);
