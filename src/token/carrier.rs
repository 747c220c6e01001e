//! Data under a key: tokens, wrapped subject keys and record tags. Each contains the key's id in clear.

use super::{Header, MAX_LEN};
use crate::aead::{Letter, envelope};
use crate::codec::text;
use crate::id::KeyId;
use crate::scratch;

/// FORMAT 10: the bytes whose base64url text is `rxkx`.
pub(crate) const WRAPPED_KEY_MAGIC: [u8; 3] = [0xAF, 0x19, 0x31];
/// The bytes of a wrapped subject key, all of the same length (FORMAT 10.1).
pub(crate) const WRAPPED_KEY_LEN: usize = WRAPPED_KEY_MAGIC.len() + KeyId::LEN + envelope::OVERHEAD + 32;

/// FORMAT 14.1: the bytes whose base64url text is `rxrS`, and the length of a record tag.
pub(crate) const RECORD_TAG_MAGIC: [u8; 3] = [0xAF, 0x1A, 0xD2];
pub(crate) const RECORD_TAG_LEN: usize = 48;
/// The beginning of a record tag's text, and its length.
pub(crate) const RECORD_TAG_TEXT_MAGIC: &str = "rxrS";
pub(crate) const RECORD_TAG_TEXT_LEN: usize = 64;

/// The beginning of a wrapped subject key's text.
pub(crate) const WRAPPED_KEY_TEXT_MAGIC: &str = "rxkx";

/// The first byte of each one's binary form. Text never begins with it (FORMAT 6.4).
pub(crate) const FIRST_BYTE: u8 = Letter::MAGIC_START[0];

/// The key that a well-formed text token (FORMAT 6.4), or the text of a wrapped subject key or a record tag, is under.
pub(crate) fn key_of_text(text: &str) -> Option<KeyId> {
    // Almost every value returns here, without a copy.
    let len = text::decoded_len(text.len());
    if !starts_as_one(text) || len > MAX_LEN {
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

fn starts_as_one(text: &str) -> bool {
    let letter = text.strip_prefix(Letter::TEXT_MAGIC).and_then(|rest| rest.bytes().next());
    letter.is_some_and(Letter::is_one)
        || text.starts_with(WRAPPED_KEY_TEXT_MAGIC)
        || text.starts_with(RECORD_TAG_TEXT_MAGIC)
}

/// The key that a well-formed binary token, a wrapped subject key, or a record tag is under.
pub(crate) fn key_of_bytes(bytes: &[u8]) -> Option<KeyId> {
    match bytes.strip_prefix(&WRAPPED_KEY_MAGIC).filter(|_| bytes.len() == WRAPPED_KEY_LEN) {
        Some(rest) => rest.first_chunk().copied().map(KeyId::from_bytes),
        None => key_of_counted(bytes),
    }
}

/// The key that a well-formed binary token or a record tag is under: what a count of a column sees.
pub(crate) fn key_of_counted(bytes: &[u8]) -> Option<KeyId> {
    match bytes.strip_prefix(&RECORD_TAG_MAGIC).filter(|_| bytes.len() == RECORD_TAG_LEN) {
        Some(rest) => rest.first_chunk().copied().map(KeyId::from_bytes),
        None => Header::of(bytes).map(|header| header.key_id),
    }
}

/// Whether `bytes` begin as a binary token or a record tag does.
pub(crate) fn starts_counted(bytes: &[u8]) -> bool {
    Header::starts(bytes) || bytes.starts_with(&RECORD_TAG_MAGIC)
}
