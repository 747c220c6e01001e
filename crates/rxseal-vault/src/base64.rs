//! Padded base64 (RFC 4648, 4), as Vault writes keys, without branches or look-ups that depend on them.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// The 32 key bytes of `text`, or `None` if it is not their canonical text.
pub(crate) fn decode_key(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() != 44 {
        return None;
    }
    // The decoder needs room for bytes that padding could have stood for.
    let mut key = Zeroizing::new(vec![0; 33]);
    let len = Base64::decode(text, &mut key).ok()?.len();
    key.truncate(len);
    (len == 32).then_some(key)
}

/// Appends the text of `bytes`; the caller wipes `out` and has made room.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let mut text = Zeroizing::new([0; 64]);
    // Whole groups of three bytes, so that only the last one is padded.
    for piece in bytes.chunks(48) {
        if let Ok(encoded) = Base64::encode(piece, text.as_mut_slice()) {
            out.extend_from_slice(encoded.as_bytes());
        }
    }
}

/// Whether `text` is canonical base64 of something.
pub(crate) fn is_canonical(text: &str) -> bool {
    !text.is_empty() && Base64::decode_vec(text).is_ok()
}
