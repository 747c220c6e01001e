//! A row of a source, with all that it takes to open it.

use rxseal::schema::Plain;
use rxseal::{KeyId, RecordTag, Token};
use rxseal_map::Value;

/// A row that was drawn.
#[derive(Clone, Default)]
pub struct Row {
    /// Which of the keyrings it is of.
    pub ring: Option<usize>,
    pub ids: Vec<Cell>,
    pub subject: Cell,
    /// Each token with the place of its field among the sealed places of the map.
    pub tokens: Vec<(usize, Token)>,
    pub tag: Option<RecordTag>,
    /// What the tag covers beside the fields.
    pub bound: Vec<Cell>,
}

/// A cell that is stored readable: ids, and what a tag covers.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    #[default]
    Null,
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// No id, and nothing that a tag covers.
    Other,
}

/// What is in a place that should have a token or a tag.
pub enum Found<T> {
    Nothing,
    One(T),
    /// Plaintext, or what is left of a token.
    Other,
}

impl Row {
    /// The keys that its tokens and its tag are under, each once.
    pub fn keys(&self) -> Vec<KeyId> {
        let tokens = self.tokens.iter().map(|(_, token)| token.key_id());
        let mut keys: Vec<_> = tokens.chain(self.tag.and_then(|tag| tag.key_id())).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    pub fn tokens_under(&self, key: KeyId) -> u64 {
        let count = self.tokens.iter().filter(|(_, token)| token.key_id() == key).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }
}

impl Cell {
    pub fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Text(text) => Self::Text(text.into()),
            Value::Bytes(bytes) => Self::Bytes(bytes.into()),
            Value::Integer(number) => Self::Text(number.to_string().into()),
            Value::Json(json) if json.letters().is_some() => {
                serde_json::from_str(json.as_written()).map_or(Self::Other, Self::Text)
            }
            Value::Json(json) if !json.as_written().starts_with(['{', '[']) => Self::Text(json.as_written().into()),
            _ => Self::Other,
        }
    }

    /// `None` for what no schema knows.
    pub fn plain(&self) -> Option<Plain<'_>> {
        match self {
            Self::Null => Some(Plain::Null),
            Self::Text(text) => Some(Plain::Text(text)),
            Self::Bytes(bytes) => Some(Plain::Bytes(bytes)),
            Self::Other => None,
        }
    }

    pub fn is_some(&self) -> bool {
        *self != Self::Null
    }
}

/// A token, in its text or as bytes. The text may be in a column of bytes.
pub fn token(value: Value<'_>) -> Found<Token> {
    found(value, |text| text.parse().ok(), |bytes| Token::try_from(bytes).ok())
}

/// The same of a record tag.
pub fn tag(value: Value<'_>) -> Found<RecordTag> {
    found(value, |text| text.parse().ok(), |bytes| RecordTag::try_from(bytes).ok())
}

fn found<T>(value: Value<'_>, of_text: impl Fn(&str) -> Option<T>, of_bytes: impl Fn(&[u8]) -> Option<T>) -> Found<T> {
    let found = match value {
        Value::Null => return Found::Nothing,
        Value::Text(text) => of_text(text),
        Value::Json(json) => json.letters().and_then(of_text),
        Value::Bytes(bytes) => of_bytes(bytes).or_else(|| str::from_utf8(bytes).ok().and_then(of_text)),
        _ => None,
    };
    found.map_or(Found::Other, Found::One)
}
