//! Tokens as columns of SQL databases. Each driver has a feature with its version in the name.
//!
//! A column is written as a binary token. It is read as a binary token or as a token's text, which cannot be confused
//! (FORMAT 6.4). Anything else is refused with an error that quotes nothing of it. Reading checks only the form and needs no key,
//! so a token that does not open passes through unchanged.

#[cfg(feature = "rusqlite_0_39")]
mod rusqlite_0_39;
#[cfg(feature = "sqlx_0_9")]
mod sqlx_0_9;

use crate::error::{Error, ErrorKind, Reason};
use crate::token::Token;

const NULL: Reason = "it is NULL; if it may be, read an `Option<Sealed<..>>`";

/// The token in a text column, which a database may return as bytes.
fn from_text(text: &[u8]) -> Result<Token, Error> {
    // The UTF-8 error is dropped, because it would say where the text is not UTF-8.
    std::str::from_utf8(text).map_err(|_| ErrorKind::NotAToken)?.parse()
}
