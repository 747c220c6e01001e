//! Data under a key: tokens and wrapped subject keys. Both contain the key's id in clear.

use super::{Header, MAX_LEN};
use crate::aead::{Letter, envelope};
use crate::codec::text;
use crate::id::KeyId;
use crate::scratch;

/// FORMAT 10: the bytes whose base64url text is `rxkx`.
pub(crate) const WRAPPED_KEY_MAGIC: [u8; 3] = [0xAF, 0x19, 0x31];
/// The bytes of a wrapped subject key, all of the same length (FORMAT 10.1).
pub(crate) const WRAPPED_KEY_LEN: usize = WRAPPED_KEY_MAGIC.len() + KeyId::LEN + envelope::OVERHEAD + 32;

/// The beginning of a wrapped subject key's text.
pub(crate) const WRAPPED_KEY_TEXT_MAGIC: &str = "rxkx";

/// The first byte of either's binary form. Text never begins with it (FORMAT 6.4).
pub(crate) const FIRST_BYTE: u8 = Letter::MAGIC_START[0];

/// The key that a well-formed text token (FORMAT 6.4), or the text of a wrapped subject key, is under.
pub(crate) fn key_of_text(text: &str) -> Option<KeyId> {
    // Almost every value returns here, without a copy.
    let len = text::decoded_len(text.len());
    if !starts_as_either(text) || len > MAX_LEN {
        return None;
    }
    // The text may be a secret that only looks like one, so the decoded bytes are wiped.
    scratch::with(|buffer| {
        let bytes = buffer.vec();
        bytes.resize(len, 0);
        let len = text::decode_slice(text, bytes)?;
        key_of_bytes(bytes.get(..len)?)
    })
}

/// Whether `text` is a well-formed text token (FORMAT 6.4).
pub(crate) fn is_text_token(text: &str) -> bool {
    text.starts_with(Letter::TEXT_MAGIC) && key_of_text(text).is_some()
}

fn starts_as_either(text: &str) -> bool {
    let letter = text.strip_prefix(Letter::TEXT_MAGIC).and_then(|rest| rest.bytes().next());
    letter.is_some_and(Letter::is_one) || text.starts_with(WRAPPED_KEY_TEXT_MAGIC)
}

/// The key that a well-formed binary token, or a wrapped subject key, is under.
pub(crate) fn key_of_bytes(bytes: &[u8]) -> Option<KeyId> {
    let wrapped = bytes.strip_prefix(&WRAPPED_KEY_MAGIC).filter(|_| bytes.len() == WRAPPED_KEY_LEN);
    match wrapped {
        Some(rest) => rest.first_chunk().copied().map(KeyId::from_bytes),
        None => Header::of(bytes).map(|header| header.key_id),
    }
}
