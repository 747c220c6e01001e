//! The two forms of a token in a column, bytes and text, for the drivers.

use std::fmt;

use crate::error::{Error, ErrorKind, Reason};
use crate::form::Sealed;
use crate::record_tag::RecordTag;
use crate::token::Token;

pub(super) const NULL: Reason = "it is NULL; if it may be, read an `Option<Sealed<..>>`";
pub(super) const NO_INDEX_VALUE: Reason =
    "it is NULL; a column of an index may be, so read an `Option<IndexValue<..>>`";

/// A [`Sealed`] that is written as text, for a column of type TEXT or VARCHAR.
///
/// A driver must know what it sends before it sees the column. A `Sealed<T, F>` is sent as bytes (BLOB, BYTEA), and this as text. Both
/// read both, so the rows that you read need only `Sealed<T, F>`, and you write `&row.drug.to_text()`. For a column that may be NULL,
/// write `row.drug.as_ref().map(Sealed::to_text)`. Text is a third longer.
///
/// ```
/// use rxseal::{Sealed, phi};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let db = rusqlite::Connection::open_in_memory()?;
/// db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT NOT NULL)")?;
/// let drug = Sealed::<String, phi::Drug>::seal(&keys.record("prescription", 1001)?, "warfarin 5 MG")?;
/// db.execute("INSERT INTO rx VALUES (?1, ?2)", (1001, drug.to_text()))?;
///
/// let read: Sealed<String, phi::Drug> = db.query_row("SELECT drug FROM rx", (), |row| row.get(0))?;
/// assert_eq!(read, drug);
/// # Ok(())
/// # }
/// ```
pub struct SealedText<T, F>(Sealed<T, F>);

impl<T, F> SealedText<T, F> {
    /// The sealed value.
    #[must_use]
    pub fn sealed(&self) -> &Sealed<T, F> {
        &self.0
    }

    /// Returns the sealed value.
    #[must_use]
    pub fn into_sealed(self) -> Sealed<T, F> {
        self.0
    }
}

impl<T, F> Sealed<T, F> {
    /// The same token, to be written to a text column (features of drivers).
    #[must_use]
    pub fn to_text(&self) -> SealedText<T, F> {
        SealedText(self.clone())
    }
}

impl<T, F> From<Sealed<T, F>> for SealedText<T, F> {
    fn from(sealed: Sealed<T, F>) -> Self {
        Self(sealed)
    }
}

impl<T, F> From<SealedText<T, F>> for Sealed<T, F> {
    fn from(text: SealedText<T, F>) -> Self {
        text.0
    }
}

impl<T, F> Clone for SealedText<T, F> {
    fn clone(&self) -> Self {
        self.0.to_text()
    }
}

impl<T, F> PartialEq for SealedText<T, F> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T, F> Eq for SealedText<T, F> {}

impl<T, F> fmt::Debug for SealedText<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The token in a text column, which a database may return as bytes.
pub(super) fn from_text(text: &[u8]) -> Result<Token, Error> {
    if text.starts_with(HEX) {
        return Err(ErrorKind::NoTokenInColumn.because(IN_HEX));
    }
    // The UTF-8 error is dropped, because it would say where the text is not UTF-8.
    std::str::from_utf8(text).map_err(|_| ErrorKind::NotAToken)?.parse()
}

/// The tag in a text column, which a database may return as bytes.
pub(super) fn tag_from_text(text: &[u8]) -> Result<RecordTag, Error> {
    std::str::from_utf8(text).map_err(|_| ErrorKind::NotATag)?.parse()
}

/// How PostgreSQL shows bytes as text, with the first bytes of a token (FORMAT 6.1).
const HEX: &[u8] = b"\\xaf1b";
const IN_HEX: Reason = "a binary token was written to a text column, and PostgreSQL made hexadecimal digits of it; write \
                        `sealed.to_text()`";
