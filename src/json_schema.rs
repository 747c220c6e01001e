//! Schemas of fields: what a client sends and gets, and what is stored.

#[cfg(feature = "schemars_1")]
mod schemars_1;
#[cfg(feature = "utoipa_5")]
mod utoipa_5;

use crate::columns::ColumnLen;
use crate::field::Field;
use crate::index::{Definition, Index};

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

/// An index value's text: base64url (FORMAT 15.5).
const INDEX_PATTERN: &str = "^[A-Za-z0-9_-]+$";
const INDEX_DESCRIPTION: &str = "What rxseal finds a record by: an index value.";
const INDEXES_DESCRIPTION: &str = "What rxseal finds a record by: the values of an index.";

/// How many characters a value of an index has, at least and at most: of its present and its former definitions.
fn index_len<I: Index>() -> [usize; 2] {
    let text = |definition: &Definition| definition.value_len().saturating_mul(4).div_ceil(3);
    let present = text(&I::DEFINITION);
    I::FORMER.iter().map(text).fold([present; 2], |[least, most], len| [least.min(len), most.max(len)])
}
