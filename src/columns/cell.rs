//! What a driver finds in a column, and what it asks of a type that can be one.

use std::borrow::Cow;

use super::forms::{NULL, SealedText, from_text};
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::form::Sealed;
#[cfg(any(feature = "diesel_2", feature = "sea_orm_2"))]
use crate::secret::wipe;
#[cfg(any(feature = "diesel_2", feature = "sea_orm_2"))]
use crate::token::FIRST_BYTE;
use crate::token::Token;

/// What a driver found in a column.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Bytes(&'a [u8]),
    /// Text, of which nobody has checked that it is UTF-8.
    Text(&'a [u8]),
    Null,
}

/// What can be a column: what each driver asks of each type.
pub(crate) trait Column: Sized {
    fn read(cell: Cell<'_>) -> Result<Self, Error>;

    /// What a binary column gets.
    fn bytes(&self) -> Result<&[u8], Error>;

    /// What a text column gets.
    fn text(&self) -> Result<Cow<'_, str>, Error>;
}

impl Column for Token {
    fn read(cell: Cell<'_>) -> Result<Self, Error> {
        match cell {
            Cell::Bytes(bytes) => Self::try_from(bytes),
            Cell::Text(text) => from_text(text),
            Cell::Null => Err(ErrorKind::NoTokenInColumn.because(NULL)),
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
    fn read(cell: Cell<'_>) -> Result<Self, Error> {
        Token::read(cell).map(Self::from).map_err(|error| error.at_field(F::ID))
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        self.token().bytes()
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        self.token().text()
    }
}

/// Reads what came from a driver that does not tell text from bytes.
#[cfg(any(feature = "diesel_2", feature = "sea_orm_2"))]
pub(crate) fn read_owned<C: Column>(mut bytes: Vec<u8>) -> Result<C, Error> {
    let is_binary = bytes.first() == Some(&FIRST_BYTE);
    let column = C::read(if is_binary { Cell::Bytes(&bytes) } else { Cell::Text(&bytes) });
    // It may be plaintext that was left in the column.
    wipe(&mut bytes);
    column
}

impl<T, F: Field> Column for SealedText<T, F> {
    fn read(cell: Cell<'_>) -> Result<Self, Error> {
        Sealed::read(cell).map(Self::from)
    }

    fn bytes(&self) -> Result<&[u8], Error> {
        self.sealed().bytes()
    }

    fn text(&self) -> Result<Cow<'_, str>, Error> {
        self.sealed().text()
    }
}
