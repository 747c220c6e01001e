//! How many tokens are under which key. Counting needs no key.
//!
//! A record tag ([`RecordTag`](crate::RecordTag)) is under a key as a token is, and counts as one: a column of tags is a column to count.
//!
//! Index values are counted by prefix, which says what made them: [`IndexCounts`].
//!
//! Before an old key is destroyed, nothing may be left under it. [`count_by_key`] counts in values that a program reads;
//! [`CountSql`] is the query that counts in a column of a database, which `rxseal-sqlite` and `rxseal-postgres` run.
//!
//! ```
//! # fn main() -> Result<(), rxseal::Error> {
//! # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
//! use rxseal::count::count_by_key;
//! use rxseal::phi::Drug;
//! let record = keys.record("prescription", 1001)?;
//! let column = [record.seal_text::<Drug>("warfarin 5 MG")?];
//! assert_eq!(count_by_key(&column).of(keys.primary_key()), 1);
//! # Ok(())
//! # }
//! ```

mod begun;
mod find;
mod index_counts;
mod index_sql;
mod keyspace_sql;
mod sql;
mod table;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use begun::Begun;
pub use index_counts::IndexCounts;
pub use sql::CountSql;
pub(crate) use table::{Table, fits_postgres, quoted};

use crate::error::{Error, ErrorKind, Reason};
use crate::id::KeyId;
use crate::key::KeyInfo;
use crate::token::{FIRST_BYTE, key_of_counted, key_of_text, starts_counted};

use find::{has_uncounted, joined_in_bytes, joined_in_run, runs_in};

/// The number of tokens under each key, which shows whether an old key is still in use.
///
/// Tokens name only DEKs, so the ids of index roots never occur. A count says what one place, such as a column, contained when it was
/// read. Before you destroy a key, count every column of the keyspace, and its backups, exports and queues. Give all counts to
/// [`RemainingUse::counted`](crate::keys::RemainingUse::counted), which takes no zero for granted.
///
/// A count remembers when it began, by this machine's clock. [`count_by_key`] and the functions that read a column note the time before
/// they read; for other counts it is when `default` made them. So call `default` first, and read after it. Two counts are equal if they
/// counted the same, whenever that was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    by_key: BTreeMap<KeyId, u64>,
    /// Possible tokens inside the letters of another one.
    joined: BTreeMap<KeyId, u64>,
    not_tokens: u64,
    /// Of these, the ones that begin as a token does.
    look_alikes: u64,
    /// Values that are not one token from their first letter to their last.
    not_sealed: u64,
    nulls: u64,
    /// The keys that were seen in this place.
    seen: BTreeSet<KeyId>,
    /// Confirmed to be empty, and nothing was seen.
    is_empty: bool,
    /// The keys that each merged place showed. A place that showed none is kept too: it may have been the wrong one.
    merged: BTreeSet<BTreeSet<KeyId>>,
    /// Why a place may contain more than was seen.
    doubt: Option<Reason>,
    begun: Begun,
}

impl KeyCounts {
    /// The number of tokens under `key`, including those that may only be [`joined`](Self::joined) to others.
    #[must_use]
    pub fn of(&self, key: KeyId) -> u64 {
        let [plain, joined] = [&self.by_key, &self.joined].map(|counts| counts.get(&key).copied().unwrap_or_default());
        plain.saturating_add(joined)
    }

    /// Every key that has a token, in ascending order of the ids, with the number of its tokens.
    pub fn iter(&self) -> impl Iterator<Item = (KeyId, u64)> {
        self.by_key.keys().map(|key| (*key, self.of(*key)))
    }

    /// The number of tokens under all keys of [`iter`](Self::iter).
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Keys whose tokens were seen only inside the letters or bytes of another token, with how often. Each is one of
    /// two things. It may be a token that was joined to the one before it by a letter, a digit, `-` or `_`, or by
    /// nothing. Or it is chance, once in 4,200,000 letters. An id of one of your keys is never there by chance:
    /// [`of`](Self::of) counts it.
    pub fn joined(&self) -> impl Iterator<Item = (KeyId, u64)> {
        let others = self.joined.iter().filter(|(key, _)| !self.by_key.contains_key(key));
        others.map(|(key, count)| (*key, *count))
    }

    /// The number of values in which no token was found: plaintext that was left behind, tokens that were cut off or changed, documents
    /// without a token, and documents in a binary format, whose tokens look like any other bytes. It includes texts that contain a wrapped
    /// subject key, which is under a key too but is not a token. In a column that should be completely sealed this must be 0; if it is not,
    /// look at it first.
    #[must_use]
    pub fn not_tokens(&self) -> u64 {
        self.not_tokens
    }

    /// Of [`not_tokens`](Self::not_tokens), the number of those that begin as a token or a record tag does and are not one: tokens that were cut
    /// off or changed, and plaintext that looks like one. Nothing that seals may take such a value for plaintext.
    #[must_use]
    pub fn look_alikes(&self) -> u64 {
        self.look_alikes
    }

    /// The number of values that are not one token from the first letter to the last: those without a token, and those in which a token is only
    /// a part, such as a note that quotes one. Each value counts once, and so does each element of an array of PostgreSQL.
    ///
    /// [`of`](Self::of) answers which keys are still needed, so it finds a token in any text. This answers whether a column is sealed: only
    /// where it is 0, each value is a token and nothing else. In a column of documents it is the number of documents.
    ///
    /// ```
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// use rxseal::count::count_by_key;
    /// use rxseal::phi::Drug;
    /// let token = keys.record("prescription", 1001)?.seal_text::<Drug>("warfarin 5 MG")?;
    /// let counts = count_by_key([token.clone(), format!("see {token} for Jane Doe")]);
    /// assert_eq!((counts.of(keys.primary_key()), counts.not_tokens(), counts.not_sealed()), (2, 0, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn not_sealed(&self) -> u64 {
        self.not_sealed
    }

    /// The number of rows without a value, if a column was counted.
    #[must_use]
    pub fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Why the place may contain more than was counted, in a few words: for example, it is a view or on a standby. `None` if no such reason
    /// is known.
    #[must_use]
    pub fn doubt(&self) -> Option<&'static str> {
        self.doubt
    }

    /// Confirms that this place is meant to be empty, for example a new table or a column that is not used yet. Without this,
    /// [`RemainingUse::counted`](crate::keys::RemainingUse::counted) refuses a place without a token, because a mistyped name looks the same.
    ///
    /// # Errors
    ///
    /// `not-counted` if something is in it. Rows without a value do not count.
    pub fn confirmed_empty(mut self) -> Result<Self, Error> {
        let something = self.not_tokens > 0 || !self.by_key.is_empty() || !self.joined.is_empty();
        if something {
            return Err(ErrorKind::NotCounted.because("a place that was said to be empty has values in it"));
        }
        self.merged.clear();
        self.is_empty = true;
        Ok(self)
    }

    pub(crate) fn begun(&self) -> Begun {
        self.begun
    }

    #[cfg(test)]
    pub(crate) fn begun_at(mut self, time: std::time::SystemTime) -> Self {
        self.begun = Begun::at(time);
        self
    }

    /// Whether every place showed a token, or was confirmed to be empty.
    pub(crate) fn shows_one_of(&self, ring: &[KeyInfo]) -> bool {
        let own = Some(&self.seen).filter(|_| !self.is_empty);
        self.merged.iter().chain(own).all(|seen| ring.iter().any(|key| seen.contains(&key.id())))
    }

    /// Counts one more value: a token or a record tag as bytes or text, or each of them as text in a longer text, such as a JSON document.
    pub fn add(&mut self, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        if value.first() == Some(&FIRST_BYTE) {
            self.add_bytes(value);
        } else {
            self.add_text(std::str::from_utf8(value).unwrap_or_default());
        }
    }

    /// Counts one more value of a binary column: a token as bytes, or something that is not a token.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        let begins = u64::from(starts_counted(bytes));
        let key = key_of_counted(bytes);
        self.add_one(key, begins);
        joined_in_bytes(bytes).for_each(|key| self.add_joined(key, 1));
        self.add_not_sealed(u64::from(key.is_none()));
    }

    /// Counts one more value of a text column: each text token in it, or something that is not a token.
    pub fn add_text(&mut self, text: &str) {
        let (mut none, mut is_sealed) = (true, false);
        for run in runs_in(text) {
            none = false;
            let key = key_of_text(run);
            is_sealed |= key.is_some() && run.len() == text.len();
            self.add_one(key, 1);
            joined_in_run(run).for_each(|key| self.add_joined(key, 1));
        }
        if none || has_uncounted(text) {
            self.add_one(None, 0);
        }
        self.add_not_sealed(u64::from(!is_sealed));
    }

    fn add_one(&mut self, key: Option<KeyId>, look_alikes: u64) {
        match key {
            Some(key) => self.add_key(key, 1),
            None => {
                self.add_without_token(1);
                self.look_alikes = self.look_alikes.saturating_add(look_alikes);
            }
        }
    }

    /// Adds the counts of another column, database or backup. A place that showed no token is remembered as such and not lost in the sum.
    /// `KeyCounts::default()` is such a place too, so begin with the first real count. To count parts of *one* column, use
    /// [`add`](Self::add) on one `KeyCounts`. The sum began when the earlier of both began.
    pub fn merge(&mut self, other: &Self) {
        for (key, count) in &other.by_key {
            add_to(&mut self.by_key, *key, *count);
        }
        for (key, count) in &other.joined {
            self.add_joined(*key, *count);
        }
        self.not_tokens = self.not_tokens.saturating_add(other.not_tokens);
        self.look_alikes = self.look_alikes.saturating_add(other.look_alikes);
        self.not_sealed = self.not_sealed.saturating_add(other.not_sealed);
        self.nulls = self.nulls.saturating_add(other.nulls);
        let own = Some(&other.seen).filter(|_| !other.is_empty);
        self.merged.extend(other.merged.iter().chain(own).cloned());
        self.doubt = self.doubt.or(other.doubt);
        self.begun = self.begun.earliest(other.begun);
    }

    /// Notes why the place may contain more than was counted, in a few words for people: see [`doubt`](Self::doubt). A reason that was
    /// noted before stays.
    #[must_use]
    pub fn doubted(mut self, why: Option<&'static str>) -> Self {
        self.doubt = self.doubt.or(why);
        self
    }

    pub(crate) fn add_key(&mut self, key: KeyId, count: u64) {
        // It is no evidence that this place has tokens.
        if count == 0 {
            return;
        }
        add_to(&mut self.by_key, key, count);
        self.seen.insert(key);
        self.is_empty = false;
    }

    fn add_joined(&mut self, key: KeyId, count: u64) {
        if count == 0 {
            return;
        }
        add_to(&mut self.joined, key, count);
        self.is_empty = false;
    }

    /// Counts values that cannot be tokens, such as numbers.
    pub fn add_not_tokens(&mut self, count: u64) {
        self.add_without_token(count);
        self.add_not_sealed(count);
    }

    /// A text may have several parts that were cut off or changed.
    fn add_without_token(&mut self, count: u64) {
        self.not_tokens = self.not_tokens.saturating_add(count);
        self.is_empty = false;
    }

    fn add_not_sealed(&mut self, values: u64) {
        self.not_sealed = self.not_sealed.saturating_add(values);
    }

    /// Counts rows without a value.
    pub fn add_nulls(&mut self, count: u64) {
        self.nulls = self.nulls.saturating_add(count);
    }

    /// Adds a row of [`CountSql`]'s result: its `key_id` and its `tokens`. A row of zero tokens shows no key and is not added.
    ///
    /// ```
    /// use rxseal::count::KeyCounts;
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let mut counts = KeyCounts::default(); // before the statement runs, since counts remember when they were begun
    /// for (key_id, tokens) in [("null", 2), ("not a token", 1), ("AbCdEf12", 40)] {
    ///     counts.add_row(key_id, tokens)?;
    /// }
    /// assert_eq!((counts.nulls(), counts.not_tokens(), counts.of("AbCdEf12".parse()?)), (2, 1, 40));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `not-a-token` or `invalid-id` if it is a row of another statement. Nothing is added then.
    pub fn add_row(&mut self, key_id: &str, tokens: i64) -> Result<(), Error> {
        let count = u64::try_from(tokens).map_err(|_| ErrorKind::NotAToken)?;
        match (key_id, key_id.strip_prefix(sql::JOINED)) {
            (_, Some(key_id)) => self.add_joined(key_id.parse()?, count),
            (sql::NULL, _) => self.add_nulls(count),
            (sql::NOT_SEALED, _) => self.add_not_sealed(count),
            (sql::NOT_A_TOKEN, _) => self.add_without_token(count),
            (sql::LIKE_A_TOKEN, _) => {
                self.add_without_token(count);
                self.look_alikes = self.look_alikes.saturating_add(count);
            }
            (key_id, _) => self.add_key(key_id.parse()?, count),
        }
        Ok(())
    }
}

fn add_to(counts: &mut BTreeMap<KeyId, u64>, key: KeyId, count: u64) {
    let sum = counts.entry(key).or_default();
    *sum = sum.saturating_add(count);
}

/// Counts tokens by key, over anything that yields them as bytes or text, or yields texts with text tokens in them: JSON
/// documents, lines of a CSV file.
///
/// ```
/// use rxseal::count::count_by_key;
/// use rxseal::phi;
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
