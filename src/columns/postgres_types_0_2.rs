//! Columns of tokio-postgres and postgres, whose types are those of postgres-types.

use std::error::Error as StdError;

use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::cell::{Cell, Column};
use super::forms::SealedText;
use crate::field::Field;
use crate::form::Sealed;
use crate::index::{Index, IndexSet, IndexValue};
use crate::migrating::{Migrating, PlainColumn};
use crate::record_tag::RecordTag;
use crate::token::Token;

type BoxError = Box<dyn StdError + Sync + Send>;

/// Whether a column holds text or bytes. The parameter of a column of a domain has the domain as its type.
fn is_text(kind: &Type) -> Option<bool> {
    match (kind.kind(), kind) {
        (Kind::Domain(base), _) => is_text(base),
        (_, &Type::TEXT | &Type::VARCHAR) => Some(true),
        (_, &Type::BYTEA) => Some(false),
        _ => None,
    }
}

fn write(column: &impl Column, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
    if is_text(kind) == Some(true) {
        out.extend_from_slice(column.text()?.as_bytes());
    } else {
        out.extend_from_slice(column.bytes()?);
    }
    Ok(IsNull::No)
}

fn read<C: Column>(kind: &Type, raw: &[u8]) -> Result<C, BoxError> {
    Ok(C::from_cell(if is_text(kind) == Some(true) { Cell::Text(raw) } else { Cell::Bytes(raw) })?)
}

macro_rules! column {
    ([$($generics:tt)*] $column:ty, $write:literal, $read:literal) => {
        #[doc = $write]
        impl<$($generics)*> ToSql for $column {
            fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
                write(self, kind, out)
            }

            fn accepts(kind: &Type) -> bool {
                is_text(kind).is_some()
            }

            to_sql_checked!();
        }

        #[doc = $read]
        impl<'a, $($generics)*> FromSql<'a> for $column {
            fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
                read(kind, raw)
            }

            fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
                Ok(Self::from_cell(Cell::Null)?)
            }

            fn accepts(kind: &Type) -> bool {
                is_text(kind).is_some()
            }
        }
    };
}

column!(
    [] Token,
    "Writes the token's text to a column of TEXT or VARCHAR, and the binary token to BYTEA, and likewise to a domain over one of them \
     (feature `postgres_types_0_2`).",
    "Reads what the column's type says: a token's text, or a binary token (feature `postgres_types_0_2`). Anything else is an error of \
     the driver with an [`Error`](crate::Error) in it."
);
column!(
    [T, F: Field] Sealed<T, F>,
    "As for [`Token`]. Lists of them are arrays.",
    "As for [`Token`]; the error names the field. Lists of them are arrays, and an `Option` is for a column that may be NULL."
);
column!([T, F: Field] SealedText<T, F>, "As for [`Sealed`], which a text column gets as text too.", "As for [`Sealed`].");
column!(
    [T: PlainColumn, F: Field] Migrating<T, F>,
    "As for [`Sealed`]. Plaintext is an error, unless the program wrote it in the first step of a migration.",
    "As for [`Sealed`], and what does not begin as a token does is plaintext."
);
column!(
    [] RecordTag,
    "As for [`Token`]. A tag that was not sealed yet is an error.",
    "As for [`Token`]."
);
column!(
    [I: Index] IndexValue<I>,
    "Writes the text to a column of TEXT or VARCHAR, and the bytes to BYTEA, and likewise to a domain over one of them (feature \
     `postgres_types_0_2`). A list of them, such as the values of a query, is an array.",
    "Reads what the column's type says (feature `postgres_types_0_2`). Anything else is `index-unreadable`, in an error of the driver."
);

/// Writes an array of BYTEA or of TEXT, and NULL for an empty set, so that nobody sees whether it was cleared (feature `postgres_types_0_2`).
impl<I: Index> ToSql for IndexSet<I> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if self.as_slice().is_empty() { Ok(IsNull::Yes) } else { self.as_slice().to_sql(array_of(kind), out) }
    }

    fn accepts(kind: &Type) -> bool {
        <&[IndexValue<I>] as ToSql>::accepts(array_of(kind))
    }

    to_sql_checked!();
}

/// Reads an array of BYTEA or of TEXT (feature `postgres_types_0_2`). NULL is the empty set, and anything else is `index-unreadable`.
impl<'a, I: Index> FromSql<'a> for IndexSet<I> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let values = Vec::<IndexValue<I>>::from_sql(array_of(kind), raw)?;
        Ok(Self::from_values(values)?)
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Self::default())
    }

    fn accepts(kind: &Type) -> bool {
        <Vec<IndexValue<I>> as FromSql<'_>>::accepts(array_of(kind))
    }
}

/// The array, which may be in a domain.
fn array_of(kind: &Type) -> &Type {
    match kind.kind() {
        Kind::Domain(base) => array_of(base),
        _ => kind,
    }
}
