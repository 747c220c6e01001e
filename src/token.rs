//! Tokens: one sealed field as bytes or text (FORMAT 6). Parsing one needs no key.

mod carrier;

use std::fmt;
use std::str::FromStr;

pub(crate) use carrier::{
    FIRST_BYTE, RECORD_TAG_LEN, RECORD_TAG_MAGIC, RECORD_TAG_TEXT_LEN, RECORD_TAG_TEXT_MAGIC, WRAPPED_KEY_LEN,
    WRAPPED_KEY_MAGIC, WRAPPED_KEY_TEXT_MAGIC, begins_as_our_text, begins_as_ours, is_text_token, key_of_bytes,
    key_of_counted, key_of_text, starts_counted,
};

use crate::aead::{Letter, NONCE_LEN, TAG_LEN};
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::field::{MAX_BLOCK, MAX_CONTENT};
use crate::id::KeyId;
use crate::secret::wipe_vec;

/// Magic, letter and key id.
pub(crate) const HEADER_LEN: usize = Letter::MAGIC_LEN + KeyId::LEN;
/// The shortest payload: a kind byte and the first byte of padding.
const MIN_PAYLOAD: usize = 2;
/// FORMAT 6.3: the largest content, padded to the largest block.
const MAX_PAYLOAD: usize = MAX_CONTENT + MAX_BLOCK;
/// FORMAT 6.3, with a whole nonce.
const MAX_LEN: usize = HEADER_LEN + NONCE_LEN + MAX_PAYLOAD + TAG_LEN;

/// The first 9 bytes of a token. They say how it was sealed, and under which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) letter: Letter,
    pub(crate) key_id: KeyId,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [m0, m1, m2] = self.letter.magic();
        let [k0, k1, k2, k3, k4, k5] = *self.key_id.as_bytes();
        [m0, m1, m2, k0, k1, k2, k3, k4, k5]
    }

    /// The header of a whole binary token, whose length is checked too (FORMAT 6.3, 6.4).
    pub(crate) fn parse(token: &[u8]) -> Result<Self, Error> {
        TokenParts::parse(token).map(|parts| parts.header)
    }

    /// As `parse`, for bytes that are rarely a token: what they are not is no error.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        TokenParts::of(bytes).map(|parts| parts.header)
    }

    /// Where the payload begins in a token.
    pub(crate) fn payload_start(self) -> usize {
        HEADER_LEN.saturating_add(self.letter.nonce_len())
    }

    /// Whether `bytes` begin as a binary token does (FORMAT 6.1).
    pub(crate) fn starts(bytes: &[u8]) -> bool {
        bytes.first_chunk().copied().and_then(Letter::of_magic).is_some()
    }
}

/// The parts of a token. Made by reading it, so who has them need not read it again.
#[derive(Clone, Copy)]
pub(crate) struct TokenParts<'t> {
    pub(crate) header: Header,
    /// As many nonce bytes as are on the wire.
    pub(crate) nonce: &'t [u8],
    /// The encrypted payload.
    pub(crate) text: &'t [u8],
    pub(crate) tag: &'t [u8; TAG_LEN],
}

impl<'t> TokenParts<'t> {
    /// Reads a binary token.
    pub(crate) fn parse(token: &'t [u8]) -> Result<Self, Error> {
        Self::of(token).ok_or_else(|| ErrorKind::NotAToken.into())
    }

    /// Reads a text token (FORMAT 6.2, 6.4) into `out`, whose length is its [`decoded_len`]. On an error the caller wipes `out`,
    /// which may hold plaintext.
    pub(crate) fn decode(token: &str, out: &'t mut [u8]) -> Result<Self, Error> {
        if text::decode_slice(token, out) != Some(out.len()) {
            return Err(ErrorKind::NotAToken.into());
        }
        Self::parse(out)
    }

    fn of(token: &'t [u8]) -> Option<Self> {
        let (magic, rest) = token.split_first_chunk()?;
        let (key_id, rest) = rest.split_first_chunk::<{ KeyId::LEN }>()?;
        let letter = Letter::of_magic(*magic)?;
        let header = Header { letter, key_id: KeyId::from_bytes(*key_id) };
        let (nonce, rest) = rest.split_at_checked(letter.nonce_len())?;
        let (text, tag) = rest.split_last_chunk()?;
        let fits = (MIN_PAYLOAD..=MAX_PAYLOAD).contains(&text.len());
        #[cfg(all(fuzzing, rxseal_planted = "length"))] // A bug that fuzz/planted.sh must find.
        let fits = true;
        fits.then_some(Self { header, nonce, text, tag })
    }
}

/// How many bytes a text token has; an error for what is seen not to be one before it is decoded.
pub(crate) fn decoded_len(token: &str) -> Result<usize, Error> {
    let len = text::decoded_len(token.len());
    if token.starts_with(Letter::TEXT_MAGIC) && len <= MAX_LEN { Ok(len) } else { Err(ErrorKind::NotAToken.into()) }
}

/// One sealed field: public bytes that are worthless without their key and context.
///
/// Parsing needs no key and checks only the form. An unknown letter, a wrong length, text that is not canonical base64url, and
/// trailing bytes are refused with [`Error::is_not_a_token`].
///
/// ```
/// use rxseal::phi::Drug;
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let token = keys.record("prescription", "RX-1001")?.seal::<Drug>("lisinopril 10 MG Oral Tablet")?;
///
/// let text = token.to_string();                      // for a text column
/// assert!(text.starts_with("rxsX"));
/// assert_eq!(text[4..12], token.key_id().to_string());
/// assert_eq!(text.parse::<rxseal::Token>()?, token);
///
/// let bytes: &[u8] = token.as_bytes();               // for a binary column, a quarter smaller
/// assert_eq!(rxseal::Token::try_from(bytes)?, token);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(Vec<u8>);

impl Token {
    /// Only for bytes that a sealing call of this crate has just written.
    pub(crate) fn from_sealed(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The binary form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the binary form.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The id of the key under which this token was sealed.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        match self.0.get(Letter::MAGIC_LEN..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => KeyId::from_bytes(*bytes),
            None => KeyId::from_bytes([0; KeyId::LEN]),
        }
    }
}

impl TryFrom<Vec<u8>> for Token {
    type Error = Error;

    fn try_from(mut bytes: Vec<u8>) -> Result<Self, Error> {
        match Header::parse(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(error) => {
                // What is no token may be plaintext, and nobody has it any more.
                wipe_vec(&mut bytes);
                Err(error)
            }
        }
    }
}

impl TryFrom<&[u8]> for Token {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Header::parse(bytes)?;
        Ok(Self(bytes.to_vec()))
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = vec![0; decoded_len(text)?];
        match TokenParts::decode(text, &mut bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(error) => {
                // It begins as a token does, and may be plaintext.
                wipe_vec(&mut bytes);
                Err(error)
            }
        }
    }
}

impl AsRef<[u8]> for Token {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, {} bytes)", self.key_id(), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(letter: Letter, ciphertext: usize) -> Vec<u8> {
        let mut bytes = Header { letter, key_id: KeyId::from_bytes([7; 6]) }.to_bytes().to_vec();
        bytes.resize(HEADER_LEN + letter.nonce_len() + ciphertext + TAG_LEN, 0x55);
        bytes
    }

    #[test]
    fn magic_is_the_text() {
        for letter in Letter::ALL {
            let token = Token::try_from(sample(letter, 32)).unwrap();
            assert!(token.to_string().starts_with(&format!("rxs{}", char::from(letter.as_byte()))));
            assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
            assert_eq!(format!("{token:?}"), format!("Token(BwcHBwcH, {} bytes)", token.as_bytes().len()));
        }
    }

    #[test]
    fn lengths_are_exact() {
        for letter in Letter::ALL {
            for (ciphertext, good) in [(1, false), (2, true), (MAX_PAYLOAD, true), (MAX_PAYLOAD + 1, false)] {
                let bytes = sample(letter, ciphertext);
                assert_eq!(Token::try_from(bytes.as_slice()).is_ok(), good, "{letter:?} {ciphertext}");
                assert_eq!(text::encode(&bytes).parse::<Token>().is_ok(), good, "{letter:?} {ciphertext} as text");
            }
        }
    }
}
