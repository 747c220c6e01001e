//! Columns of diesel: one implementation for every database that it knows.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::mysql::Mysql;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, Binary, Nullable, Text};
#[cfg(feature = "diesel_2_sqlite")]
use diesel::sqlite::Sqlite;

use super::cell::{Cell, Column, read_owned};
use super::forms::SealedText;
use crate::field::Field;
use crate::form::Sealed;
use crate::index::{Index, IndexSet, IndexValue};
use crate::migrating::{Migrating, PlainColumn};
use crate::record_tag::RecordTag;
use crate::token::Token;

macro_rules! text {
    ([$($generics:tt)*] $column:ty, $backend:ty, |$text:ident, $out:ident| $put:expr, $doc:literal) => {
        #[doc = $doc]
        impl<$($generics)*> ToSql<Text, $backend> for $column {
            fn to_sql<'b>(&'b self, $out: &mut Output<'b, '_, $backend>) -> serialize::Result {
                let $text = Column::text(self)?;
                $put;
                Ok(IsNull::No)
            }
        }
    };
}

macro_rules! column {
    ($proxy:ident, [$($generics:tt)*], [$($names:tt)*] $column:ty, $write:literal, $text:literal, $read:literal) => {
        #[derive(AsExpression, FromSqlRow)]
        #[diesel(foreign_derive, sql_type = Text, sql_type = Binary)]
        #[expect(dead_code, reason = "diesel's derives read it, to implement for a type that is declared elsewhere")]
        struct $proxy<$($names)*>($column);

        #[doc = $write]
        impl<$($generics)* DB: Backend> ToSql<Binary, DB> for $column
        where
            [u8]: ToSql<Binary, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                Column::bytes(self)?.to_sql(out)
            }
        }

        // Not for every backend at once: text that is made here outlives the call only in what each of them keeps.
        text!([$($generics)*] $column, Pg, |text, out| out.write_all(text.as_bytes())?, $text);
        text!([$($generics)*] $column, Mysql, |text, out| out.write_all(text.as_bytes())?, $text);
        #[cfg(feature = "diesel_2_sqlite")]
        text!([$($generics)*] $column, Sqlite, |text, out| out.set_value(text.into_owned()), $text);

        #[doc = $read]
        impl<$($generics)* DB: Backend> FromSql<Binary, DB> for $column
        where
            Vec<u8>: FromSql<Binary, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(read_owned(Vec::from_sql(value)?, false)?)
            }

            fn from_nullable_sql(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
                value.map_or_else(|| Ok(Self::from_cell(Cell::Null)?), <Self as FromSql<Binary, DB>>::from_sql)
            }
        }

        #[doc = $read]
        impl<$($generics)* DB: Backend> FromSql<Text, DB> for $column
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(read_owned(String::from_sql(value)?.into_bytes(), true)?)
            }

            fn from_nullable_sql(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
                value.map_or_else(|| Ok(Self::from_cell(Cell::Null)?), <Self as FromSql<Text, DB>>::from_sql)
            }
        }
    };
}

column!(
    TokenColumn, [], [] Token,
    "Writes the binary token (feature `diesel_2`).",
    "Writes the token's text (feature `diesel_2`; for SQLite `diesel_2_sqlite`).",
    "Reads a token's text or a binary token (feature `diesel_2`). Anything else is an error of diesel with an [`Error`](crate::Error) \
     in it."
);
column!(
    SealedColumn, [T, F: Field,], [T, F] Sealed<T, F>,
    "As for [`Token`].",
    "As for [`Token`].",
    "As for [`Token`]; the error names the field."
);

column!(
    SealedTextColumn, [T, F: Field,], [T, F] SealedText<T, F>,
    "As for [`Sealed`], which a text column gets as text too.",
    "As for [`Sealed`].",
    "As for [`Sealed`]."
);
column!(
    MigratingColumn, [T: PlainColumn, F: Field,], [T, F] Migrating<T, F>,
    "As for [`Sealed`]. Plaintext is an error, unless the program wrote it in the first step of a migration.",
    "As for [`Sealed`].",
    "As for [`Sealed`], and what does not begin as a token does is plaintext."
);
column!(
    RecordTagColumn, [], [] RecordTag,
    "As for [`Token`]. A tag that was not sealed yet is an error.",
    "As for [`Token`]. A tag that was not sealed yet is an error.",
    "As for [`Token`]."
);
column!(
    IndexValueColumn, [I: Index,], [I] IndexValue<I>,
    "Writes the bytes (feature `diesel_2`).",
    "Writes the text (feature `diesel_2`; for SQLite `diesel_2_sqlite`).",
    "Reads the bytes or the text of a value (feature `diesel_2`). Anything else is `index-unreadable`, in an error of diesel."
);

/// As diesel makes schemas of PostgreSQL, the elements of an array may be NULL; those of a set never are.
#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive, sql_type = Array<Binary>, sql_type = Array<Nullable<Binary>>)]
#[expect(dead_code, reason = "diesel's derives read it, to implement for a type that is declared elsewhere")]
struct IndexSetColumn<I>(IndexSet<I>);

macro_rules! set_column {
    ($element:ty) => {
        /// Writes an array, and NULL for an empty set, so that nobody sees whether it was cleared (feature `diesel_2`).
        impl<I: Index> ToSql<Array<$element>, Pg> for IndexSet<I> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                if self.as_slice().is_empty() {
                    return Ok(IsNull::Yes);
                }
                let values: Vec<_> = self.as_slice().iter().map(IndexValue::as_bytes).collect();
                ToSql::<Array<$element>, Pg>::to_sql(&values, &mut out.reborrow())
            }
        }

        /// Reads an array (feature `diesel_2`). Anything else is `index-unreadable`, in an error of diesel.
        impl<I: Index> FromSql<Array<$element>, Pg> for IndexSet<I> {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let values: Vec<IndexValue<I>> = FromSql::<Array<Binary>, Pg>::from_sql(value)?;
                Ok(Self::from_values(values)?)
            }
        }

        /// NULL is the empty set (feature `diesel_2`).
        impl<I: Index> FromSql<Nullable<Array<$element>>, Pg> for IndexSet<I> {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                <Self as FromSql<Array<$element>, Pg>>::from_sql(value)
            }

            fn from_nullable_sql(value: Option<PgValue<'_>>) -> deserialize::Result<Self> {
                value.map_or_else(|| Ok(Self::default()), <Self as FromSql<Array<$element>, Pg>>::from_sql)
            }
        }
    };
}

set_column!(Binary);
set_column!(Nullable<Binary>);
