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

/// Whether bytes begin as a token (AF 1B), a record tag (AF 1A) or a wrapped subject key (AF 19) does.
pub(crate) fn begins_as_ours(bytes: &[u8]) -> bool {
    matches!(bytes, [FIRST_BYTE, 0x19..=0x1B, ..])
}

/// Whether text begins as one of them does. Space in front makes it no plaintext: somebody put it there.
pub(crate) fn begins_as_our_text(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{FEFF}');
    ["rxs", "rxr", "rxk"].iter().any(|magic| text.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyId = KeyId::from_bytes([7; 6]);

    /// `magic`, the key's id, and as many more bytes as make `len`.
    fn bytes_of(magic: [u8; 3], len: usize) -> Vec<u8> {
        let mut bytes = [magic.as_slice(), KEY.as_bytes()].concat();
        bytes.resize(len, 0x55);
        bytes
    }

    #[test]
    fn each_kind_has_its_length() {
        let fixed = [(WRAPPED_KEY_MAGIC, WRAPPED_KEY_LEN), (RECORD_TAG_MAGIC, RECORD_TAG_LEN)];
        for (magic, len) in fixed {
            for (len, found) in [(len - 1, None), (len, Some(KEY)), (len + 1, None)] {
                let bytes = bytes_of(magic, len);
                assert_eq!(key_of_bytes(&bytes), found, "{len} bytes");
                assert_eq!(key_of_text(&text::encode(&bytes)), found, "{len} bytes as text");
            }
        }
        assert_eq!((WRAPPED_KEY_LEN, RECORD_TAG_LEN), (81, 48));
    }

    #[test]
    fn tokens_are_found_up_to_the_longest() {
        for letter in Letter::ALL {
            let least = 9 + letter.nonce_len() + 2 + 16;
            let most = least - 2 + super::super::MAX_PAYLOAD;
            for (len, found) in [(least - 1, None), (least, Some(KEY)), (most, Some(KEY)), (most + 1, None)] {
                let bytes = bytes_of(letter.magic(), len);
                assert_eq!(key_of_bytes(&bytes), found, "{letter:?}, {len} bytes");
                let text = text::encode(&bytes);
                assert_eq!(key_of_text(&text), found, "{letter:?}, {len} bytes as text");
                assert_eq!(is_text_token(&text), found.is_some(), "{letter:?}, {len} bytes as text");
            }
        }
    }

    #[test]
    fn other_text_is_no_token() {
        let wrapped = text::encode(&bytes_of(WRAPPED_KEY_MAGIC, WRAPPED_KEY_LEN));
        let tag = text::encode(&bytes_of(RECORD_TAG_MAGIC, RECORD_TAG_LEN));
        assert!(wrapped.starts_with(WRAPPED_KEY_TEXT_MAGIC) && tag.starts_with(RECORD_TAG_TEXT_MAGIC));
        for text in [&wrapped, &tag, "", "rxs", "rxsX", "rxs of the week", "lisinopril"] {
            assert!(!is_text_token(text), "{text}");
        }
        for letter in Letter::ALL {
            assert!(starts_as_one(&format!("rxs{}", char::from(letter.as_byte()))), "{letter:?}");
        }
        assert!(starts_as_one("rxkx") && starts_as_one("rxrS"));
        for other in ["", "rxs", "rxsY", "rxsC", "rxk", "rxrs", "xrxsX"] {
            assert!(!starts_as_one(other), "{other}");
        }
    }
}
