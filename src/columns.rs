//! Tokens as columns of SQL databases, each driver behind a feature with its version in the name.
//!
//! A column is written as the binary token. It is read as a binary token or as its text form, which cannot be taken for each
//! other (FORMAT 6.4), and anything else is refused with an error that quotes nothing of it. Only the form is checked: no
//! key is needed, and a token that does not open passes through untouched.

#[cfg(feature = "rusqlite_0_39")]
mod rusqlite_0_39;
#[cfg(feature = "sqlx_0_9")]
mod sqlx_0_9;

use crate::error::{Error, ErrorKind, Reason};
use crate::token::Token;

const NULL: Reason = "it is NULL; where it may be, read an `Option<Sealed<..>>`";

/// The token in a text column, which a database may hand out as bytes.
fn from_text(text: &[u8]) -> Result<Token, Error> {
    // What is wrong with text that is not UTF-8 is not told: that error would quote where.
    std::str::from_utf8(text).map_err(|_| ErrorKind::NotAToken)?.parse()
}
