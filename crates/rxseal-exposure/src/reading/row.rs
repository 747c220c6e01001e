//! The present row: whose it is, and what it has.

use std::borrow::Cow;

use rxseal::KeyId;
use rxseal_map::Value;
use zeroize::Zeroizing;

/// What a place of a row has.
pub(super) enum Fact {
    Token(KeyId),
    /// A damaged token, or one of a length that none has.
    Undecided,
    Plaintext,
    Index,
    Clear,
    Undeclared,
}

pub(super) struct Row {
    /// By class. A place may have several values.
    pub(super) facts: Vec<(usize, Fact)>,
    pub(super) keyspace: Id,
    pub(super) subject: Id,
    pub(super) ids: Vec<Id>,
    pub(super) jurisdiction: Id,
}

/// Whom a row is about.
pub(super) enum Whom<'r> {
    Subject(&'r str),
    /// A record without a subject, by its own id.
    Record(Cow<'r, str>),
}

/// The text of an id, if there is one.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) enum Id {
    #[default]
    None,
    Text(String),
    /// Something that no id can be, such as bytes in an unknown encoding.
    Unreadable,
}

impl Row {
    pub(super) fn new(ids: usize) -> Self {
        let none = Id::None;
        Self {
            facts: Vec::new(),
            keyspace: none.clone(),
            subject: none.clone(),
            ids: vec![none.clone(); ids],
            jurisdiction: none,
        }
    }

    pub(super) fn clear(&mut self) {
        self.facts.clear();
        let Self { keyspace, subject, jurisdiction, ids, .. } = self;
        [keyspace, subject, jurisdiction].into_iter().chain(ids).for_each(|id| *id = Id::None);
    }

    /// The patient, as budgets count them: the subject, or else the record's own id.
    pub(super) fn patient(&self) -> Option<Whom<'_>> {
        match &self.subject {
            Id::Text(subject) => return Some(Whom::Subject(subject)),
            Id::Unreadable => return None,
            Id::None => {}
        }
        match self.ids.as_slice() {
            [id] => id.text().map(|id| Whom::Record(id.into())),
            ids => {
                // As programs join them, who refuse a part with a `/` in it.
                let parts = ids.iter().map(|id| id.text().filter(|text| !text.contains('/')));
                Some(Whom::Record(parts.collect::<Option<Vec<_>>>()?.join("/").into()))
            }
        }
    }
}

impl Id {
    pub(super) fn of(value: Value<'_>) -> Self {
        let text = match value {
            Value::Null => return Self::None,
            Value::Text(text) => Some(text.to_owned()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Json(json) => match json.letters() {
                Some(text) if text.contains('\\') => serde_json::from_str(json.as_written()).ok(),
                Some(text) => Some(text.to_owned()),
                None => Some(json.as_written()).filter(|text| !text.starts_with(['{', '['])).map(str::to_owned),
            },
            Value::Bytes(bytes) => uuid_text(bytes),
            _ => None,
        };
        match text {
            Some(text) if text.trim().is_empty() => Self::None,
            Some(text) if !is_no_value(&text) => Self::Text(text),
            _ => Self::Unreadable,
        }
    }

    /// No keyspace has a line end in it.
    pub(super) fn of_keyspace(value: Value<'_>) -> Self {
        match Self::of(value) {
            Self::Text(text) if text.contains('\n') => Self::Unreadable,
            id => id,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_some(&self) -> bool {
        *self != Self::None
    }
}

/// How dumps write that there is no value. Many rows have it, of as many people.
fn is_no_value(text: &str) -> bool {
    const NO_VALUE: [&str; 11] =
        ["\\N", "null", "(null)", "<null>", "[null]", "nil", "none", "nan", "undefined", "n/a", "unknown"];
    NO_VALUE.iter().any(|known| known.eq_ignore_ascii_case(text.trim()))
}

/// Drivers of SQLite write a UUID as its 16 bytes.
fn uuid_text(bytes: &[u8]) -> Option<String> {
    let bytes: &[u8; 16] = bytes.try_into().ok()?;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 15].iter().filter_map(|digit| char::from_digit(u32::from(*digit), 16)));
    }
    Some(text)
}

/// Bytes that are written in hexadecimal. They may be plaintext, so they are wiped.
pub(super) fn bytes_of_hex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; digits.len() / 2]);
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_that_there_is_no_value_is_nobody() {
        for text in ["\\N", "NULL", "null", " NULL ", "(null)", "<NULL>", "None", "NaN", "N/A", "Unknown"] {
            assert!(Id::of(Value::Text(text)) == Id::Unreadable, "{text:?}");
        }
        for text in ["", "  ", "\t"] {
            assert!(Id::of(Value::Text(text)) == Id::None, "{text:?}");
        }
        for text in ["\\n1", "nullable", "0", "pat-7"] {
            assert_eq!(Id::of(Value::Text(text)).text(), Some(text));
        }
    }
}
