//! A value of a row.

use std::fmt;

use serde_json::value::RawValue;

use super::json;

/// A value of a row, as its source has it.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub enum Value<'v> {
    /// No value. CSV has an empty field for it.
    Null,
    /// Text.
    Text(&'v str),
    /// Bytes.
    Bytes(&'v [u8]),
    /// A text that is not UTF-8, or has a zero byte in it.
    Foreign(&'v [u8]),
    /// An integer of a database that has numbers. The others write theirs as text.
    Integer(i64),
    /// Another number, or something else than a document in a column of documents.
    Other,
    /// A value of a JSON object.
    Json(JsonValue<'v>),
}

impl<'v> Value<'v> {
    pub(crate) fn of_json(raw: &'v RawValue) -> Self {
        if raw.get() == "null" { Self::Null } else { Self::Json(JsonValue(raw)) }
    }
}

/// Says of what kind it is, and nothing of the value.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Text(_) => "Text(..)",
            Self::Bytes(_) => "Bytes(..)",
            Self::Foreign(_) => "Foreign(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Other => "Other",
            Self::Json(_) => "Json(..)",
        })
    }
}

/// A value of a JSON document.
#[derive(Clone, Copy)]
pub struct JsonValue<'v>(pub(crate) &'v RawValue);

impl<'v> JsonValue<'v> {
    /// The value as it is written: a text has its quotes and its escapes.
    #[must_use]
    pub fn as_written(&self) -> &'v str {
        self.0.get()
    }

    /// The letters between the quotes of a text, with its escapes as they are: no token has one. `None` for every other value.
    #[must_use]
    pub fn letters(&self) -> Option<&'v str> {
        json::text_of(self.0)
    }
}

impl fmt::Debug for JsonValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonValue(..)")
    }
}
