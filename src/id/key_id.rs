//! Key ids: the first 6 bytes of a key's public fingerprint (FORMAT 3.3).

use std::fmt;
use std::str::FromStr;

use crate::codec::text;
use crate::error::Error;

/// The public id of a key. It is always shown as 8 base64url characters, which are characters 5 to 12 of every text token under
/// the key.
///
/// ```
/// let id: rxseal::KeyId = "AbCdEf_-".parse()?;
/// assert_eq!(id.to_string(), "AbCdEf_-");
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 6]);

impl KeyId {
    pub(crate) const LEN: usize = 6;

    pub(crate) const fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    pub(crate) fn of_fingerprint(fingerprint: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, ..] = *fingerprint;
        Self([a, b, c, d, e, f])
    }

    /// The id as bytes, which are bytes 4 to 9 of every binary token under the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl Error {
    /// The id of the key that this error is about, if it is about one.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id_bytes().map(KeyId)
    }

    pub(crate) fn with_key(self, key_id: KeyId) -> Self {
        self.with_key_id(key_id.0)
    }

    pub(crate) fn with_index_root(self, root: KeyId) -> Self {
        self.with_key(root).of_index_root()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text::decode_array(text).map(Self).ok_or_else(|| Error::invalid_id("key id", "8 characters of base64url"))
    }
}
