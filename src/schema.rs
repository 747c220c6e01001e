//! Schemas of fields: what a client sends and gets, and what is stored.

#[cfg(feature = "schemars_1")]
mod schemars_1;
#[cfg(feature = "utoipa_5")]
mod utoipa_5;

use crate::field::Field;

/// What every token's text looks like: one of the letters of FORMAT 5, then base64url (FORMAT 1.2).
const PATTERN: &str = "^rxs[Xxc][A-Za-z0-9_-]+$";
const DESCRIPTION: &str = "A value that rxseal encrypted: a token.";
const SHORTEST: usize = text(2, 37);

/// Of the field's `max` and `block`, as they are declared now.
const fn longest<F: Field>() -> usize {
    text((F::MAX_LEN as usize + 2).next_multiple_of(F::BLOCK as usize), 49)
}

const fn text(payload: usize, rest: usize) -> usize {
    ((payload + rest) * 4).div_ceil(3)
}
