//! How many tokens are under which key: in a column of a database, or over any tokens. Needs no key.

#[cfg(feature = "postgres-store")]
mod postgres;
mod sql;
#[cfg(feature = "sqlite-store")]
mod sqlite;

use std::collections::BTreeMap;

#[cfg(feature = "postgres-store")]
pub use postgres::count_postgres;
pub use sql::CountSql;
#[cfg(feature = "sqlite-store")]
pub use sqlite::count_sqlite;

#[cfg(feature = "postgres-store")]
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::token::{Header, Token};

/// Tokens by the key they were sealed under, which shows whether an old key is still in use.
///
/// A token names a DEK only, so the ids of index roots are never among them. Counts say what one column, or one set of tokens,
/// held when it was read: add up all columns of a keyspace (and its backups, exports and queues) before a key is destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    by_key: BTreeMap<KeyId, u64>,
    not_tokens: u64,
    nulls: u64,
}

impl KeyCounts {
    /// The tokens under `key`.
    #[must_use]
    pub fn of(&self, key: KeyId) -> u64 {
        self.by_key.get(&key).copied().unwrap_or_default()
    }

    /// Every key that has a token, in ascending order of the ids, with the number of its tokens.
    pub fn iter(&self) -> impl Iterator<Item = (KeyId, u64)> {
        self.by_key.iter().map(|(key, count)| (*key, *count))
    }

    /// The tokens under all keys.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_key.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Values that are no token and in which none is seen, and tokens that were cut off: plaintext that was left behind, documents
    /// without a token, documents in a binary format, whose tokens cannot be told from other bytes. In a column that is to be
    /// sealed throughout this is 0, and otherwise the first thing to look at.
    #[must_use]
    pub fn not_tokens(&self) -> u64 {
        self.not_tokens
    }

    /// Rows without a value, where a column was counted.
    #[must_use]
    pub fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Counts one more value: a token as bytes or text, or each text token in a longer text, such as a JSON document.
    pub fn add(&mut self, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        // FORMAT 6.4: 0xAF is never the first byte of text.
        if value.first() == Some(&0xAF) {
            self.add_bytes(value);
        } else {
            self.add_text(std::str::from_utf8(value).unwrap_or_default());
        }
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.add_one(Header::of(bytes).map(|header| header.key_id));
    }

    fn add_text(&mut self, text: &str) {
        let mut found = tokens_in(text).peekable();
        if found.peek().is_none() {
            self.add_one(None);
        }
        for text in found {
            self.add_one(text.parse::<Token>().ok().map(|token| token.key_id()));
        }
    }

    fn add_one(&mut self, key: Option<KeyId>) {
        match key {
            Some(key) => self.add_key(key, 1),
            None => self.not_tokens = self.not_tokens.saturating_add(1),
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (key, count) in other.iter() {
            self.add_key(key, count);
        }
        self.not_tokens = self.not_tokens.saturating_add(other.not_tokens);
        self.nulls = self.nulls.saturating_add(other.nulls);
    }

    pub(crate) fn add_key(&mut self, key: KeyId, count: u64) {
        let sum = self.by_key.entry(key).or_default();
        *sum = sum.saturating_add(count);
    }

    /// A row of `CountSql`.
    #[cfg(feature = "postgres-store")]
    fn add_row(&mut self, key_id: &str, count: i64) -> Result<(), Error> {
        let count = u64::try_from(count).map_err(|_| ErrorKind::NotAToken)?;
        match key_id {
            sql::NULL => self.nulls = self.nulls.saturating_add(count),
            sql::NOT_A_TOKEN => self.not_tokens = self.not_tokens.saturating_add(count),
            key_id => self.add_key(key_id.parse()?, count),
        }
        Ok(())
    }
}

/// Counts tokens by key, over anything that yields them as bytes or text, or yields texts with text tokens in them: JSON
/// documents, lines of a CSV file.
///
/// ```
/// use rxseal::{count_by_key, phi};
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let rec = keys.record("prescription", 1001)?;
/// let token = rec.seal::<phi::Drug>("warfarin 5 MG")?;
/// let text = rec.seal::<phi::Drug>("lisinopril 10 MG")?.to_string();
///
/// let mut counts = count_by_key([&token]);
/// counts.merge(&count_by_key([text.as_str(), "warfarin 5 MG"]));
/// assert_eq!(counts.of(keys.primary_key()), 2);
/// assert_eq!((counts.total(), counts.not_tokens()), (2, 1));
///
/// let document = format!(r#"{{"id":1001,"drug":"{text}","former":["{text}"]}}"#);
/// assert_eq!(count_by_key([document]).of(keys.primary_key()), 2);
/// # Ok(())
/// # }
/// ```
pub fn count_by_key<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> KeyCounts {
    let mut counts = KeyCounts::default();
    for value in values {
        counts.add(value);
    }
    counts
}

/// Whatever begins as a text token does, up to the first character that none has.
fn tokens_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_letter = |at: usize| rest.as_bytes().get(at.saturating_add(3)).is_some_and(|byte| b"Xxc".contains(byte));
        let (begin, _) = rest.match_indices("rxs").find(|(at, _)| is_letter(*at))?;
        let found = rest.get(begin..)?;
        let end = found.find(|char: char| !(char.is_ascii_alphanumeric() || "-_".contains(char)));
        let (token, behind) = found.split_at_checked(end.unwrap_or(found.len()))?;
        rest = behind;
        Some(token)
    })
}
