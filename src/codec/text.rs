//! Canonical base64url of public bytes (FORMAT 1.2): tokens, ids and fingerprints. A fast codec that is not
//! constant-time; keys go through `secret_text`.
//!
//! Values are checked here for being tokens. One that is not may be plaintext, so its decoded bytes are wiped.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::wipe;

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends the text of `bytes`, and returns that text.
pub(crate) fn encode_behind(bytes: &mut Vec<u8>) -> &str {
    let len = bytes.len();
    bytes.resize(len.saturating_add(encoded_len(len)), 0);
    let (bytes, text) = bytes.split_at_mut_checked(len).unwrap_or_default();
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, text).unwrap_or_default();
    // Base64url is ASCII, and there is exactly the room that it needs.
    text.get(..written).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
}

/// The number of characters for `len` bytes.
pub(crate) const fn encoded_len(len: usize) -> usize {
    len.saturating_mul(4).div_ceil(3)
}

/// The largest number of bytes in `len` characters.
pub(crate) fn decoded_len(len: usize) -> usize {
    len.saturating_mul(3) / 4
}

/// The bytes of a canonical text, or `None`.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; decoded_len(text.len())];
    match decode_slice(text, &mut bytes) {
        Some(len) => bytes.truncate(len),
        None => {
            wipe(&mut bytes);
            return None;
        }
    }
    Some(bytes)
}

/// Decodes into the front of `out`, and returns the number of bytes.
pub(crate) fn decode_slice(text: &str, out: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_slice(text, out).ok()
}

/// The bytes of a canonical text of exactly `N` bytes, or `None`.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = if decoded_len(text.len()) == N { decode_slice(text, &mut bytes) } else { None };
    if decoded != Some(N) {
        wipe(&mut bytes);
        return None;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_only() {
        assert_eq!(decode("_-8").as_deref(), Some(&[0xFF, 0xEF][..]));
        for bad in ["_-9", "_-8=", "_-8 ", "_", "+/8", "_-8\n", "_-8A_"] {
            assert!(decode(bad).is_none(), "{bad}");
        }
        for len in 0..70 {
            let bytes = vec![0xA5; len];
            let text = encode(&bytes);
            assert_eq!(text.len(), encoded_len(len));
            assert_eq!(encode_behind(&mut bytes.clone()), text);
            assert_eq!(decoded_len(text.len()), len);
            assert_eq!(decode(&text), Some(bytes));
            let mut exact = vec![0; len];
            assert_eq!(decode_slice(&text, &mut exact), Some(len));
        }
    }
}
