//! Identifiers: record, subject and part ids (FORMAT 1.4 to 1.6).

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Reason};

const MAX: usize = 255;

/// The id of a record, a subject or a part, as a caller gives it: text, an integer, or (feature `uuid_1`) a UUID.
///
/// An id is 1 to 255 bytes of printable ASCII without space. Ids are compared byte for byte: `0042` and `42` differ. An integer
/// is written as its shortest decimal, and a UUID in lower case with hyphens. A text that is a UUID in another spelling is
/// refused when it is used: databases rewrite such texts, and the token would not open again.
///
/// You rarely name this type, because calls take `impl Into<Identifier>`.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// keys.record("prescription", "RX-1001")?;
/// keys.record("prescription", 1001_u64)?;
/// assert!(keys.record("prescription", "RX 1001").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identifier<'a>(Cow<'a, str>);

impl fmt::Debug for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Record and subject ids often identify a patient.
        f.write_str("Identifier([REDACTED])")
    }
}

impl Identifier<'_> {
    /// The text if it is valid, or what is wrong with it.
    pub(crate) fn parse(&self, what: Reason) -> Result<&str, Error> {
        match problem(&self.0) {
            None => Ok(&self.0),
            Some(reason) => Err(Error::invalid_id(what, reason)),
        }
    }
}

fn problem(text: &str) -> Option<Reason> {
    // FORMAT 1.4
    if text.is_empty() || text.len() > MAX || !is_graphic(text) {
        return Some("1 to 255 characters of printable ASCII without space");
    }
    // FORMAT 1.6
    let bare = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    let is_urn = text.get(..9).is_some_and(|prefix| prefix.eq_ignore_ascii_case("urn:uuid:"));
    if is_urn || bare.is_some_and(is_hyphenated_uuid) {
        return Some("write a UUID bare, without braces or `urn:uuid:`: databases rewrite other spellings");
    }
    // Almost every UUID is in lower case, so this is asked before its form.
    if text.len() == 36 && has_upper(text) && is_hyphenated_uuid(text) {
        return Some("write a UUID in lower case: databases rewrite other spellings");
    }
    None
}

/// All bytes at once: without a branch for each, the compiler compares 16 in one instruction.
fn is_graphic(text: &str) -> bool {
    text.bytes().fold(true, |good, byte| good & byte.is_ascii_graphic())
}

fn has_upper(text: &str) -> bool {
    text.bytes().fold(false, |any, byte| any | byte.is_ascii_uppercase())
}

fn is_hyphenated_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl<'a> From<&'a str> for Identifier<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Identifier<'a> {
    fn from(text: &'a String) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Identifier<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Identifier<'_> {
            fn from(number: $integer) -> Self {
                Self(Cow::Owned(number.to_string()))
            }
        }
    )*};
}

from_integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

#[cfg(feature = "uuid_1")]
impl From<uuid::Uuid> for Identifier<'_> {
    fn from(uuid: uuid::Uuid) -> Self {
        Self(Cow::Owned(uuid.as_hyphenated().to_string()))
    }
}

/// One id of several, whose texts are joined with `/`.
///
/// # Errors
///
/// `invalid-id` if one of them contains `/`: two records could have one id.
pub fn joined_id(ids: &[Identifier<'_>]) -> Result<Identifier<'static>, Error> {
    const REASON: Reason = "a field of an id with several fields contains `/`, which joins them";
    let mut texts = Vec::with_capacity(ids.len());
    for id in ids {
        let text = id.parse("record id")?;
        if text.contains('/') {
            return Err(Error::invalid_id("record id", REASON));
        }
        texts.push(text);
    }
    Ok(texts.join("/").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_strict() {
        let good =
            ["RX-1001", "0042", "+42", "~", "0123456789abcdef0123456789abcdef", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"];
        for text in good {
            assert_eq!(Identifier::from(text).parse("record id").unwrap(), text);
        }
        let long = "x".repeat(256);
        let bad = [
            "",
            " ",
            "a b",
            "ä",
            "a\n",
            long.as_str(),
            "6F9619FF-8b86-d011-b42d-00cf4fc964ff",
            "{6f9619ff-8b86-d011-b42d-00cf4fc964ff}",
            "URN:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        ];
        for text in bad {
            let error = Identifier::from(text).parse("record id").unwrap_err();
            assert_eq!(error.code().as_str(), "invalid-id", "{text}");
        }
        assert_eq!(Identifier::from(-7_i64).parse("record id").unwrap(), "-7");
        assert_eq!(Identifier::from(u128::MAX).parse("record id").unwrap().len(), 39);
    }
}
