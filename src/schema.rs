//! Schemas of fields: what a client sends and gets, and what is stored.

#[cfg(feature = "schemars_1")]
mod schemars_1;
#[cfg(feature = "utoipa_5")]
mod utoipa_5;

use crate::field::Field;

/// What every token's text looks like: one of the letters of FORMAT 5, then base64url (FORMAT 1.2).
const PATTERN: &str = "^rxs[Xxc][A-Za-z0-9_-]+$";
const DESCRIPTION: &str = "A value that rxseal encrypted: a token.";
const SHORTEST: usize = text_len(2, 37);

/// Of the field's `max` and `block`, as they are declared now.
#[expect(clippy::as_conversions, reason = "they widen, and `From` is not const")]
const fn longest<F: Field>() -> usize {
    let least = (F::MAX_LEN as usize).saturating_add(2);
    match least.checked_next_multiple_of(F::BLOCK as usize) {
        Some(payload) => text_len(payload, 49),
        None => text_len(least, 49),
    }
}

/// FORMAT 6.1: as base64url, with `others` for key id, nonce and tag.
const fn text_len(payload: usize, others: usize) -> usize {
    payload.saturating_add(others).saturating_mul(4).div_ceil(3)
}

const TAG_PATTERN: &str = "^rxrS[A-Za-z0-9_-]{60}$";
const TAG_DESCRIPTION: &str = "What rxseal checks a record by: its record tag.";
