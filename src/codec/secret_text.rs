//! Canonical base64url of key bytes (FORMAT 1.2), without branches or look-ups that depend on them.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::secret::SecretBytes;

/// 32 bytes as 43 characters.
const TEXT_LEN: usize = 43;

/// The 32 key bytes of `text`, or `None` if it is not their canonical text.
pub(crate) fn decode_key(text: &[u8]) -> Option<SecretBytes<32>> {
    if text.len() != TEXT_LEN {
        return None;
    }
    SecretBytes::try_fill(|bytes| match Base64UrlUnpadded::decode(text, bytes) {
        Ok(decoded) if decoded.len() == 32 => Ok(()),
        _ => Err(()),
    })
    .ok()
}

/// Appends the text of `key`; the caller wipes `out`.
pub(crate) fn encode_key(key: &SecretBytes<32>, out: &mut Vec<u8>) {
    let mut text = zeroize::Zeroizing::new([0; TEXT_LEN]);
    if let Ok(encoded) = Base64UrlUnpadded::encode(key.expose_bytes(), text.as_mut_slice()) {
        out.extend_from_slice(encoded.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_text_is_canonical() {
        let key = SecretBytes::copy_of(&[0xFF; 32]);
        let mut text = Vec::new();
        encode_key(&key, &mut text);
        assert_eq!(text, b"__________________________________________8");
        assert_eq!(decode_key(&text).unwrap().expose_bytes(), &[0xFF; 32]);
        let mut unused_bits = text.clone();
        *unused_bits.last_mut().unwrap() = b'9';
        assert!(decode_key(&unused_bits).is_none());
        assert!(decode_key(&text[..42]).is_none());
    }
}
