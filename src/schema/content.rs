//! What a sealed value is, as far as its type says it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// What the values of a field are, so that a column of plaintext can be sealed without their Rust type, and opened to what it was.
///
/// The kind of a payload follows from the type that a value declares (FORMAT 7.12): a `u8` that was sealed as text would never be read by
/// its program again. So a tool seals only what the schema knows the content of.
///
/// | content | a cell in plaintext | of the Rust types |
/// |---|---|---|
/// | `text` | any text | `String`, `Box<str>`, .. |
/// | `char` | one character | `char` |
/// | `date` | `2026-11-29` | `NaiveDate`, `jiff::civil::Date` |
/// | `time` | `07:30:00`, with up to nine digits of fraction | `NaiveTime`, .. |
/// | `date-time` | `2026-11-29T07:30:00`, or with a space | `NaiveDateTime`, .. |
/// | `timestamp` | the same with `Z` or an offset | `DateTime<Utc>`, `jiff::Timestamp`, `OffsetDateTime` with `time::serde::rfc3339` |
/// | `uuid` | lower case with hyphens | `Uuid` |
/// | `decimal` | `-12.50` | `Decimal` |
/// | `bytes` | bytes | `Vec<u8>` with `serde_bytes` |
/// | `byte-list` | bytes | `Vec<u8>`, `[u8; N]` |
/// | `bool` | `true` or `false`, also `t`, `f`, `1`, `0` | `bool` |
/// | `u8` .. `u128`, `i8` .. `i128` | the shortest decimal | integers |
/// | `f32`, `f64` | any decimal spelling | floats |
/// | `json` | one JSON value | lists, maps, `serde_json::Value` |
///
/// As text ([`Display`](fmt::Display), [`FromStr`]) it is the name in the first column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentType {
    /// Text (payload kind 1).
    Text(TextFormat),
    /// Bytes (payload kind 0).
    Bytes,
    /// Bytes that are written as a JSON list of integers (payload kind 2).
    ByteList,
    /// A truth value (payload kind 2, as the following).
    Bool,
    /// An integer.
    Integer {
        /// Whether it may be negative.
        signed: bool,
        /// 8, 16, 32, 64 or 128.
        bits: u8,
    },
    /// A finite float.
    Number {
        /// 32 or 64.
        bits: u8,
    },
    /// Any JSON value. If it is a string, it is sealed as text (FORMAT 7.12).
    Json,
}

/// What text looks like, if the Rust type says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextFormat {
    /// Any text.
    Any,
    /// One character.
    Char,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and a time without a zone.
    DateTime,
    /// A point in time, with its offset from UTC.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A decimal number of any length.
    Decimal,
}

impl ContentType {
    /// Any text.
    pub const TEXT: Self = Self::Text(TextFormat::Any);

    /// Whether an opened cell is bytes. Every other one is text.
    #[must_use]
    pub const fn is_bytes(self) -> bool {
        matches!(self, Self::Bytes | Self::ByteList)
    }

    /// Its name in a schema file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }
}

const fn integer(signed: bool, bits: u8) -> ContentType {
    ContentType::Integer { signed, bits }
}

const NAMES: &[(ContentType, &str)] = &[
    (ContentType::Text(TextFormat::Any), "text"),
    (ContentType::Text(TextFormat::Char), "char"),
    (ContentType::Text(TextFormat::Date), "date"),
    (ContentType::Text(TextFormat::Time), "time"),
    (ContentType::Text(TextFormat::DateTime), "date-time"),
    (ContentType::Text(TextFormat::Timestamp), "timestamp"),
    (ContentType::Text(TextFormat::Uuid), "uuid"),
    (ContentType::Text(TextFormat::Decimal), "decimal"),
    (ContentType::Bytes, "bytes"),
    (ContentType::ByteList, "byte-list"),
    (ContentType::Bool, "bool"),
    (integer(false, 8), "u8"),
    (integer(false, 16), "u16"),
    (integer(false, 32), "u32"),
    (integer(false, 64), "u64"),
    (integer(false, 128), "u128"),
    (integer(true, 8), "i8"),
    (integer(true, 16), "i16"),
    (integer(true, 32), "i32"),
    (integer(true, 64), "i64"),
    (integer(true, 128), "i128"),
    (ContentType::Number { bits: 32 }, "f32"),
    (ContentType::Number { bits: 64 }, "f64"),
    (ContentType::Json, "json"),
];

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// From its name.
impl FromStr for ContentType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map(|(content, _)| *content).ok_or_else(|| ErrorKind::InvalidSchema.because("no content has this name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_of_one_content() {
        for (content, name) in NAMES {
            assert_eq!((content.as_str(), name.parse::<ContentType>().unwrap()), (*name, *content));
        }
        assert_eq!("Text".parse::<ContentType>().unwrap_err().code().as_str(), "invalid-schema");
    }
}
