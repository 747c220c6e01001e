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

/// The 32 key bytes of padded base64 (RFC 4648, 4), which other systems use for keys, or `None`.
#[cfg(feature = "vault")]
pub(crate) fn decode_standard_key(text: &[u8]) -> Option<SecretBytes<32>> {
    if text.len() != 44 {
        return None;
    }
    // The decoder also needs room for the bytes that the padding replaces.
    let mut room = zeroize::Zeroizing::new([0; 33]);
    let decoded = base64ct::Base64::decode(text, room.as_mut_slice()).ok()?;
    <&[u8; 32]>::try_from(decoded).ok().map(SecretBytes::copy_of)
}

/// Appends padded base64 of `bytes`; the caller wipes `out` and has made room.
#[cfg(feature = "vault")]
pub(crate) fn encode_standard(bytes: &[u8], out: &mut Vec<u8>) {
    let mut text = zeroize::Zeroizing::new([0; 64]);
    // The chunks are whole groups of three bytes, so that only the last one is padded.
    for piece in bytes.chunks(48) {
        if let Ok(encoded) = base64ct::Base64::encode(piece, text.as_mut_slice()) {
            out.extend_from_slice(encoded.as_bytes());
        }
    }
}

/// Whether `text` is canonical padded base64 of something.
#[cfg(feature = "vault")]
pub(crate) fn is_standard(text: &str) -> bool {
    !text.is_empty() && base64ct::Base64::decode_vec(text).is_ok()
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
