//! What a driver finds in a column, and what it asks of a type that can be one.

use std::borrow::Cow;

use super::forms::{NO_INDEX_VALUE, NULL, SealedText, from_text, tag_from_text};
#[cfg(feature = "rusqlite_0_39")]
use crate::error::Reason;
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::form::Sealed;
use crate::index::{Index, IndexValue};
use crate::migrating::{Migrating, PlainColumn};
use crate::record_tag::RecordTag;
#[cfg(any(feature = "diesel_2", feature = "sea_orm_2", feature = "sqlx_0_9"))]
use crate::secret::wipe;
#[cfg(any(feature = "diesel_2", feature = "sea_orm_2", feature = "sqlx_0_9"))]
use crate::token::FIRST_BYTE;
use crate::token::Token;

/// What a driver found in a column.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Bytes(&'a [u8]),
    /// Text, of which nobody has checked that it is UTF-8.
    Text(&'a [u8]),
    Null,
    /// A number, and which kind of one: SQLite keeps it in a column of any type.
    #[cfg(feature = "rusqlite_0_39")]
    Number(Reason),
}

/// What can be a column: what each driver asks of each type.
pub(crate) trait Column: Sized {
    /// Whether these bytes are text. A driver that knows that they are has said so.
    #[cfg(any(feature = "diesel_2", feature = "sea_orm_2", feature = "sqlx_0_9"))]
    fn is_text(stored: &[u8], _is_said_to_be: bool) -> bool {
        stored.first() != Some(&FIRST_BYTE)
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Error>;

    /// What a binary column gets.
    fn bytes(&self) -> Result<&[u8], Error>;

    /// What a text column gets.
    fn text(&self) -> Result<Cow<'_, str>, Error>;
}

impl Column for Token {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Error> {
        match cell {
            Cell::Bytes(bytes) => Self::try_from(bytes),
            Cell::Text(text) => from_text(text),
            Cell::Null => Err(ErrorKind::NoTokenInColumn.because(NULL)),
            #[cfg(feature = "rusqlite_0_39")]
            Cell::Number(kind) => Err(ErrorKind::NoTokenInColumn.because(kind)),
        }
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        Ok(self.as_bytes())
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.to_string().into())
    }
}

impl<T, F: Field> Column for Sealed<T, F> {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Error> {
        Token::from_cell(cell).map(Self::from).map_err(|error| error.at_field(F::ID))
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        self.token().bytes()
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        self.token().text()
    }
}

/// Reads what came from a driver that may not tell text from bytes.
#[cfg(any(feature = "diesel_2", feature = "sea_orm_2", feature = "sqlx_0_9"))]
pub(crate) fn read_owned<C: Column>(mut bytes: Vec<u8>, is_said_to_be_text: bool) -> Result<C, Error> {
    let is_text = C::is_text(&bytes, is_said_to_be_text);
    let column = C::from_cell(if is_text { Cell::Text(&bytes) } else { Cell::Bytes(&bytes) });
    // It may be plaintext that was left in the column.
    wipe(&mut bytes);
    column
}

impl Column for RecordTag {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Error> {
        match cell {
            Cell::Bytes(bytes) => Self::try_from(bytes),
            Cell::Text(text) => tag_from_text(text),
            Cell::Null => Err(ErrorKind::TagMissing.into()),
            #[cfg(feature = "rusqlite_0_39")]
            Cell::Number(_) => Err(ErrorKind::NotATag.into()),
        }
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        RecordTag::bytes(self).map(<[u8; _]>::as_slice)
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        RecordTag::text(self).map(Cow::from)
    }
}

impl<T, F: Field> Column for SealedText<T, F> {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Error> {
        Sealed::from_cell(cell).map(Self::from)
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        self.sealed().bytes()
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        self.sealed().text()
    }
}

impl<T: PlainColumn, F: Field> Column for Migrating<T, F> {
    #[cfg(any(feature = "diesel_2", feature = "sea_orm_2", feature = "sqlx_0_9"))]
    fn is_text(stored: &[u8], _: bool) -> bool {
        T::IS_TEXT && stored.first() != Some(&FIRST_BYTE)
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Error> {
        let column = match cell {
            Cell::Bytes(bytes) => Self::from_bytes(bytes),
            Cell::Text(text) => Self::from_text(text),
            Cell::Null => Err(ErrorKind::NoTokenInColumn.because(NULL)),
            #[cfg(feature = "rusqlite_0_39")]
            Cell::Number(kind) => Err(ErrorKind::NoTokenInColumn.because(kind)),
        };
        column.map_err(|error| error.at_field(F::ID))
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        self.as_bytes().map_err(|error| error.at_field(F::ID))
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        self.to_text().map_err(|error| error.at_field(F::ID))
    }
}

impl<I: Index> Column for IndexValue<I> {
    /// What has the length of a value is one, unless the driver says otherwise: text is a third longer.
    #[cfg(any(feature = "diesel_2", feature = "sea_orm_2", feature = "sqlx_0_9"))]
    fn is_text(stored: &[u8], is_said_to_be: bool) -> bool {
        is_said_to_be || Self::from_bytes(stored).is_err()
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Error> {
        match cell {
            Cell::Bytes(bytes) => Self::from_bytes(bytes),
            Cell::Text(text) => std::str::from_utf8(text).map_err(|_| ErrorKind::IndexUnreadable)?.parse(),
            Cell::Null => Err(ErrorKind::IndexUnreadable.because(NO_INDEX_VALUE)),
            #[cfg(feature = "rusqlite_0_39")]
            Cell::Number(kind) => Err(ErrorKind::IndexUnreadable.because(kind)),
        }
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        Ok(self.as_bytes())
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.to_string().into())
    }
}
