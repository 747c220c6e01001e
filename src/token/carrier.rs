//! What lies under a key: tokens, and the wrapped keys of subjects. Both name it where anybody can read it.

use super::{Header, MAX_LEN};
use crate::aead::envelope;
use crate::codec::text;
use crate::id::KeyId;
use crate::scratch;

/// FORMAT 10: the bytes whose base64url text is `rxkx`.
pub(crate) const WRAPPED_KEY_MAGIC: [u8; 3] = [0xAF, 0x19, 0x31];
/// The bytes of a wrapped subject key, all of the same length (FORMAT 10.1).
pub(crate) const WRAPPED_KEY_LEN: usize = WRAPPED_KEY_MAGIC.len() + KeyId::LEN + envelope::OVERHEAD + 32;

/// What the text form of either begins with (FORMAT 6.1, 10).
const TEXT_MAGICS: [&[u8; 4]; 4] = [b"rxsX", b"rxsx", b"rxsc", b"rxkx"];

/// What the binary form of either begins with.
pub(crate) const FIRST_BYTE: u8 = 0xAF;

/// The key that a well-formed text token (FORMAT 6.4), or the text of a wrapped subject key, is under.
pub(crate) fn key_of_text(text: &str) -> Option<KeyId> {
    // Almost every value is settled here, and none of it is copied.
    let starts = text.as_bytes().first_chunk().is_some_and(|magic| TEXT_MAGICS.contains(&magic));
    let len = text::decoded_len(text.len());
    if !starts || len > MAX_LEN {
        return None;
    }
    // The text may be a secret that only looks like one, even to its end: whatever was decoded is wiped.
    scratch::with(|buffer| {
        let bytes = buffer.vec();
        bytes.resize(len, 0);
        let len = text::decode_slice(text, bytes)?;
        key_of_bytes(bytes.get(..len)?)
    })
}

/// The key that a well-formed binary token, or a wrapped subject key, is under.
pub(crate) fn key_of_bytes(bytes: &[u8]) -> Option<KeyId> {
    let wrapped = bytes.strip_prefix(&WRAPPED_KEY_MAGIC).filter(|_| bytes.len() == WRAPPED_KEY_LEN);
    match wrapped {
        Some(rest) => rest.first_chunk().copied().map(KeyId::from_bytes),
        None => Header::of(bytes).map(|header| header.key_id),
    }
}
