//! Record tags: 48 bytes that hold the fields of a record together (FORMAT 14). Reading one needs no key.

mod clear;
mod cover;
mod message;
mod proof;
#[cfg(test)]
mod vector_tests;

use std::fmt;
use std::str::FromStr;

pub use clear::{BoundValue, ClearValue, ScaledValue};
pub(crate) use clear::{calendar, decimal};
pub(crate) use cover::Cover;
#[cfg(fuzzing)]
pub(crate) use message::message_of;
pub(crate) use proof::{tag_record, verify_record};

use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::token::{RECORD_TAG_LEN, RECORD_TAG_MAGIC};

/// Magic, key id, cover number and version: what the tag's HMAC covers of the tag itself.
const HEAD_LEN: usize = 16;
const MAC_LEN: usize = 32;
/// FORMAT 14.1: the version has 6 bytes.
const MAX_VERSION: u64 = (1 << 48) - 1;

/// The tag of a record: 48 bytes, or 64 characters, by which the fields of a record belong together.
///
/// Each sealed field is bound to its record by itself. A tag also binds the fields to each other: one that was put back from an older
/// state of the row, removed, or added is noticed, and so is a change of a readable value that the tag covers (`bind`). A record
/// struct has a field of this type with `#[phi(record_tag)]`, and its row keeps the tag in a column or member of its own, which is
/// never null.
///
/// A record that was not sealed yet has [`RecordTag::new`]. Sealing gives it version 1, and every later sealing one more.
/// [`TaggedRecord`](crate::records::TaggedRecord) has an example of a row with a tag.
///
/// ```
/// use rxseal::{ErrorCode, RecordTag};
///
/// let tag = RecordTag::new();
/// assert_eq!(tag.version(), 0);
/// assert_eq!(tag.text().unwrap_err().code(), ErrorCode::TagMissing); // it cannot be stored
///
/// let tag: RecordTag = "rxrSD-KqDs-nAQAAAAAABwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f".parse()?;
/// assert_eq!((tag.cover(), tag.version()), (1, 7));
/// assert_eq!(tag.key_id().unwrap().to_string(), "D-KqDs-n");
/// # Ok::<(), rxseal::Error>(())
/// ```
///
/// What is cut off, empty, or something else is refused: `not-a-tag`, and `tag-missing` if it is empty.
// Where its other methods are: serde in `form/record_tag.rs`, columns in `columns`, what it covers in `records`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RecordTag(Option<[u8; RECORD_TAG_LEN]>);

impl RecordTag {
    /// The tag of a record that was not sealed yet. It cannot be stored.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// How often the record was sealed, from 1 to 2^48 - 1; 0 if it was not sealed yet. Nobody has checked it before the record was verified.
    #[must_use]
    pub fn version(&self) -> u64 {
        let Some([_, _, _, _, _, _, _, _, _, _, a, b, c, d, e, f, ..]) = self.0 else { return 0 };
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The cover number, which says what the tag covers: 1, or more after fields with `since` joined. 0 if the record was not sealed yet.
    /// Nobody has checked it before the record was verified.
    #[must_use]
    pub fn cover(&self) -> u8 {
        let Some([_, _, _, _, _, _, _, _, _, cover, ..]) = self.0 else { return 0 };
        cover
    }

    /// The id of the key under which the tag was made, if the record was sealed.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        let [_, _, _, a, b, c, d, e, f, ..] = self.0?;
        Some(KeyId::from_bytes([a, b, c, d, e, f]))
    }

    /// The binary form, for a binary column: 48 bytes.
    ///
    /// # Errors
    ///
    /// `tag-missing` if the record was not sealed yet.
    pub fn bytes(&self) -> Result<&[u8; RECORD_TAG_LEN], Error> {
        self.0.as_ref().ok_or_else(|| ErrorKind::TagMissing.into())
    }

    /// The text form, for a text column: 64 characters of base64url, which begin with `rxrS`.
    ///
    /// # Errors
    ///
    /// `tag-missing` if the record was not sealed yet.
    pub fn text(&self) -> Result<String, Error> {
        self.bytes().map(|bytes| text::encode(bytes))
    }

    /// Refuses a tag below these minimums, after it was verified (FORMAT 14.13).
    pub(crate) fn at_least(&self, version: u64, cover: u8) -> Result<(), Error> {
        if self.version() >= version && self.cover() >= cover { Ok(()) } else { Err(ErrorKind::TagTooOld.into()) }
    }

    #[cfg(test)]
    pub(crate) fn with_version(&self, version: u64) -> Self {
        let mut bytes = *self.bytes().unwrap();
        bytes[10..16].copy_from_slice(&version.to_be_bytes()[2..]);
        Self(Some(bytes))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(ErrorKind::TagMissing.into());
        }
        let tag = bytes.try_into().map(|bytes| Self(Some(bytes))).map_err(|_| ErrorKind::NotATag)?;
        // FORMAT 14.2
        let is_one = bytes.starts_with(&RECORD_TAG_MAGIC) && tag.cover() > 0 && tag.version() > 0;
        if is_one { Ok(tag) } else { Err(ErrorKind::NotATag.into()) }
    }
}

impl TryFrom<&[u8]> for RecordTag {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes)
    }
}

impl FromStr for RecordTag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(ErrorKind::TagMissing.into());
        }
        let bytes: [u8; RECORD_TAG_LEN] = text::decode_array(text).ok_or(ErrorKind::NotATag)?;
        Self::parse(&bytes)
    }
}

impl fmt::Debug for RecordTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key_id() {
            Some(key) => write!(f, "RecordTag({key}, version {}, cover {})", self.version(), self.cover()),
            None => f.write_str("RecordTag(new)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> [u8; RECORD_TAG_LEN] {
        let mut bytes = [0x55; RECORD_TAG_LEN];
        bytes[..3].copy_from_slice(&RECORD_TAG_MAGIC);
        bytes
    }

    #[test]
    fn the_magic_is_the_text() {
        let tag = RecordTag::try_from(&sample()[..]).unwrap();
        let text = tag.text().unwrap();
        assert!(text.starts_with("rxrS"));
        assert_eq!(text.len(), 64);
        assert_eq!(text.parse::<RecordTag>().unwrap(), tag);
        assert_eq!(format!("{tag:?}"), "RecordTag(VVVVVVVV, version 93824992236885, cover 85)");
        assert_eq!((tag.cover(), tag.version()), (0x55, 0x5555_5555_5555));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let code = |bytes: &[u8]| RecordTag::try_from(bytes).unwrap_err().code().as_str();
        assert_eq!(code(&[]), "tag-missing");
        for len in 1..100 {
            let mut bytes = sample().to_vec();
            bytes.resize(len, 0x55);
            assert_eq!(RecordTag::try_from(bytes.as_slice()).is_ok(), len == RECORD_TAG_LEN, "{len}");
        }
        for range in [9..10, 10..16] {
            let mut zeros = sample();
            zeros[range].fill(0);
            assert_eq!(code(&zeros), "not-a-tag");
        }
        for bit in 0..24 {
            let mut bytes = sample();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(code(&bytes), "not-a-tag", "{bit}");
        }
        let text = text::encode(&sample());
        for odd in [text[1..].to_owned(), format!("{text}A"), format!("{text} "), text.replacen("rxrS", "rxsX", 1)] {
            assert_eq!(odd.parse::<RecordTag>().unwrap_err().code().as_str(), "not-a-tag", "{odd}");
        }
        assert_eq!("".parse::<RecordTag>().unwrap_err().code().as_str(), "tag-missing");
    }
}
