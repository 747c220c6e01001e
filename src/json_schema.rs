//! Schemas of fields: what a client sends and gets, and what is stored.

#[cfg(feature = "schemars_1")]
mod schemars_1;
#[cfg(feature = "utoipa_5")]
mod utoipa_5;

use crate::columns::ColumnLen;
use crate::field::Field;

/// What every token's text looks like: one of the letters of FORMAT 5, then base64url (FORMAT 1.2).
const PATTERN: &str = "^rxs[Xxc][A-Za-z0-9_-]+$";
const DESCRIPTION: &str = "A value that rxseal encrypted: a token.";
const SHORTEST: usize = ColumnLen::padded_to(1, 0).text();

/// Of the field's `max` and `block`, as they are declared now.
const fn longest<F: Field>() -> usize {
    ColumnLen::of_longest::<F>().any_suite().text()
}

const TAG_PATTERN: &str = "^rxrS[A-Za-z0-9_-]{60}$";
const TAG_DESCRIPTION: &str = "What rxseal checks a record by: its record tag.";
