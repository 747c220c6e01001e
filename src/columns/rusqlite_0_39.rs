//! Columns of rusqlite.

mod migrating;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

use super::cell::{Cell, Column};
use super::forms::SealedText;
use crate::field::Field;
use crate::form::Sealed;
use crate::index::{Index, IndexValue};
use crate::record_tag::RecordTag;
use crate::token::Token;

/// Writes the binary token, as a BLOB (feature `rusqlite_0_39`).
impl ToSql for Token {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

/// Reads a token from a BLOB, or from TEXT that contains its text form (feature `rusqlite_0_39`). Anything else is
/// [`FromSqlError::Other`] with an [`Error`](crate::Error) in it.
impl FromSql for Token {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        read(value)
    }
}

/// Writes the binary token, as a BLOB (feature `rusqlite_0_39`).
///
/// ```
/// use rxseal::{Sealed, phi};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
/// # let db = rusqlite::Connection::open_in_memory()?;
/// db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug BLOB NOT NULL)")?;
/// let rec = keys.record("prescription", 1001)?;
/// let drug = Sealed::<String, phi::Drug>::seal(&rec, "warfarin 5 MG")?;
/// db.execute("INSERT INTO rx VALUES (?1, ?2)", (1001, &drug))?;
///
/// let read: Sealed<String, phi::Drug> = db.query_row("SELECT drug FROM rx WHERE id = 1001", (), |row| row.get(0))?;
/// assert_eq!(read.open(&rec.opened_by(&access))?, "warfarin 5 MG");
///
/// // Counting tokens by key id needs no key: it shows how far a rotation has come.
/// let by_key = "SELECT substr(drug, 4, 6), count(*) FROM rx GROUP BY 1";
/// let (key_id, tokens): ([u8; 6], i64) = db.query_row(by_key, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
/// assert_eq!((&key_id, tokens), (keys.primary_key().as_bytes(), 1));
/// # Ok(())
/// # }
/// ```
impl<T, F> ToSql for Sealed<T, F> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.token().to_sql()
    }
}

/// Reads a token from a BLOB, or from TEXT that contains its text form (feature `rusqlite_0_39`). Anything else is
/// [`FromSqlError::Other`] with an [`Error`](crate::Error) in it that names the field.
impl<T, F: Field> FromSql for Sealed<T, F> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        read(value)
    }
}

/// Writes the token's text, as TEXT (feature `rusqlite_0_39`).
impl<T, F> ToSql for SealedText<T, F> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Text(self.sealed().token().to_string())))
    }
}

/// As for [`Sealed`].
impl<T, F: Field> FromSql for SealedText<T, F> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        read(value)
    }
}

/// Writes the binary tag, as a BLOB (feature `rusqlite_0_39`). A record that was not sealed yet has none: that is
/// [`ToSqlConversionFailure`](rusqlite::Error::ToSqlConversionFailure) with an [`Error`](crate::Error) in it. For a text column, write
/// [`tag.text()?`](RecordTag::text).
impl ToSql for RecordTag {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = self.bytes().map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes)))
    }
}

/// Reads a tag from a BLOB, or from TEXT that contains its text form (feature `rusqlite_0_39`). NULL is `tag-missing`, and anything else
/// `not-a-tag`, each as [`FromSqlError::Other`].
impl FromSql for RecordTag {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        read(value)
    }
}

/// Writes the bytes, as a BLOB (feature `rusqlite_0_39`). The column may be NULL: write and read an `Option` of it. For a text column, write
/// `value.to_string()`. The values of an [`IndexSet`](crate::index::IndexSet) are rows of a table of their own.
impl<I> ToSql for IndexValue<I> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

/// Reads a value from a BLOB, or from TEXT that contains its text form (feature `rusqlite_0_39`). Anything else is `index-unreadable`, as
/// [`FromSqlError::Other`].
impl<I: Index> FromSql for IndexValue<I> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        read(value)
    }
}

/// What the column has, as a `C`.
fn read<C: Column>(value: ValueRef<'_>) -> FromSqlResult<C> {
    let cell = match value {
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Text(text) => Cell::Text(text),
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(_) => Cell::Number("it is an INTEGER"),
        ValueRef::Real(_) => Cell::Number("it is a REAL"),
    };
    C::from_cell(cell).map_err(FromSqlError::other)
}
