//! How many index values of a column have which prefix.

use std::collections::BTreeMap;

use super::begun::Begun;
use super::sql;
use crate::codec::text;
use crate::error::{Error, ErrorKind, Reason};

const PREFIX_LEN: usize = 3;

/// How many index values of one column have which prefix: which index root and which definition made them. Counting needs no key.
///
/// In a rotation it is the progress: when no value has a prefix of the former index root, it may be destroyed
/// ([`RemainingUse::counted_of_index_root`](crate::keys::RemainingUse::counted_of_index_root)). The same holds for a former definition of
/// an index. [`Indexer::prefixes`](crate::index::Indexer::prefixes) says whose prefixes they are.
///
/// [`CountSql::index_postgres`](super::CountSql::index_postgres) and [`CountSql::index_sqlite`](super::CountSql::index_sqlite) are the
/// statements whose rows [`add_row`](Self::add_row) takes. Begin with `default`, and read after it: like
/// [`KeyCounts`](super::KeyCounts), a count remembers when it began. Count each column by itself: an index may be in several, such as the
/// same index in two databases.
///
/// ```
/// use rxseal::count::IndexCounts;
///
/// let mut counts = IndexCounts::default();
/// counts.add_text("wLgfnGw");
/// counts.add_bytes(b"\xC0\xB8\x1F\x9C\x6C");
/// counts.add_nulls(1);
/// assert_eq!(counts.of(b"\xC0\xB8\x1F"), 2);
/// assert_eq!((counts.total(), counts.nulls(), counts.not_values()), (2, 1, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexCounts {
    by_prefix: BTreeMap<[u8; PREFIX_LEN], u64>,
    not_values: u64,
    nulls: u64,
    /// Confirmed to be empty, and nothing was seen.
    is_empty: bool,
    /// Why the column may contain more than was seen.
    doubt: Option<Reason>,
    begun: Begun,
}

impl IndexCounts {
    /// The number of values with this prefix.
    #[must_use]
    pub fn of(&self, prefix: &[u8; 3]) -> u64 {
        self.by_prefix.get(prefix).copied().unwrap_or_default()
    }

    /// Every prefix that a value has, ascending, with the number of its values.
    pub fn iter(&self) -> impl Iterator<Item = ([u8; 3], u64)> {
        self.by_prefix.iter().map(|(prefix, count)| (*prefix, *count))
    }

    /// The number of values.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// The number of entries that are no index value: too short or too long, or in another form. In a column of index values this must
    /// be 0.
    #[must_use]
    pub fn not_values(&self) -> u64 {
        self.not_values
    }

    /// The number of rows without a value. They say nothing: such a row may have nothing to be found by, be shredded, or not be indexed yet.
    #[must_use]
    pub fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Why the column may contain more than was counted, in a few words: for example, it is a view. `None` if no such reason is known.
    #[must_use]
    pub fn doubt(&self) -> Option<&'static str> {
        self.doubt
    }

    /// Notes why the column may contain more than was counted: see [`doubt`](Self::doubt). A reason that was noted before stays.
    #[must_use]
    pub fn doubted(mut self, why: Option<&'static str>) -> Self {
        self.doubt = self.doubt.or(why);
        self
    }

    /// Confirms that the column is meant to have no value, for example in a new table. Without this, evidence refuses a column without a
    /// value, because a mistyped name looks the same.
    ///
    /// # Errors
    ///
    /// `not-counted` if something is in it. Rows without a value do not count.
    pub fn confirmed_empty(mut self) -> Result<Self, Error> {
        if self.not_values > 0 || !self.by_prefix.is_empty() {
            return Err(ErrorKind::NotCounted.because("a column that was said to be empty has values in it"));
        }
        self.is_empty = true;
        Ok(self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    pub(crate) fn begun(&self) -> Begun {
        self.begun
    }

    /// Counts one more value of a binary column.
    pub fn add_bytes(&mut self, value: &[u8]) {
        match value {
            // FORMAT 15.5: 8 to 64 bits, or 128.
            [a, b, c, ..] if (4..=11).contains(&value.len()) || value.len() == 19 => self.add_prefix([*a, *b, *c], 1),
            _ => self.add_not_values(1),
        }
    }

    /// Counts one more value of a text column.
    pub fn add_text(&mut self, value: &str) {
        self.add_bytes(&text::decode(value).unwrap_or_default());
    }

    /// Counts rows without a value.
    pub fn add_nulls(&mut self, count: u64) {
        self.nulls = self.nulls.saturating_add(count);
    }

    /// Counts entries that cannot be index values, such as numbers.
    pub fn add_not_values(&mut self, count: u64) {
        self.not_values = self.not_values.saturating_add(count);
        self.is_empty = self.is_empty && count == 0;
    }

    /// Adds a row of the result of a [`CountSql`](super::CountSql) of an index column: its `prefix` and its `index_values`.
    ///
    /// # Errors
    ///
    /// `not-counted` if it is a row of another statement. Nothing is added then.
    pub fn add_row(&mut self, prefix: &str, index_values: i64) -> Result<(), Error> {
        let foreign = || ErrorKind::NotCounted.because("it is no row of the statement that counts index values");
        let count = u64::try_from(index_values).map_err(|_| foreign())?;
        match prefix {
            sql::NO_VALUE => self.add_nulls(count),
            sql::NOT_AN_INDEX_VALUE => self.add_not_values(count),
            prefix => self.add_prefix(text::decode_array(prefix).ok_or_else(foreign)?, count),
        }
        Ok(())
    }

    fn add_prefix(&mut self, prefix: [u8; PREFIX_LEN], count: u64) {
        // A count of 0 does not show that the column has values.
        if count > 0 {
            let sum = self.by_prefix.entry(prefix).or_default();
            *sum = sum.saturating_add(count);
            self.is_empty = false;
        }
    }
}
