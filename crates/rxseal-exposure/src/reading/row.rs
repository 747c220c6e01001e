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
    pub(super) fn patient(&self) -> Option<Cow<'_, str>> {
        match &self.subject {
            Id::Text(subject) => return Some(subject.into()),
            Id::Unreadable => return None,
            Id::None => {}
        }
        match self.ids.as_slice() {
            [id] => id.text().map(Cow::from),
            ids => {
                // As programs join them, who refuse a part with a `/` in it.
                let parts = ids.iter().map(|id| id.text().filter(|text| !text.contains('/')));
                Some(parts.collect::<Option<Vec<_>>>()?.join("/").into())
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
            Some(text) if text.is_empty() => Self::None,
            Some(text) => Self::Text(text),
            None => Self::Unreadable,
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
