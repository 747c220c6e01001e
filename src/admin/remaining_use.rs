//! How much is still under a key that is to be destroyed. `keyring/opened.rs` asks whether it was counted late enough.

use std::time::SystemTime;

use crate::count::{Begun, KeyCounts};
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::{KeyInfo, KeyUse};
use crate::keyring::uncounted;

/// How much is still under a key that is to be destroyed, either [counted](Self::counted) or [stated](Self::new) by the caller.
///
/// It remembers when the count began. [`KeyringAdmin::destroy`](crate::keys::KeyringAdmin::destroy) accepts it only if the count began after
/// every program had stopped sealing under the key, because an earlier zero says nothing about what they sealed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemainingUse {
    left: Left,
    /// The key whose use was counted.
    key: Option<KeyId>,
    begun: Begun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    OfDek { tokens: u64, subject_keys: u64 },
    OfIndexRoot { index_values: u64 },
}

impl RemainingUse {
    /// The caller's own numbers: tokens in every column and backup that has to stay readable, and wrapped subject keys (0 if you use
    /// none). Nobody checks a zero that you state here, so prefer [`counted`](Self::counted).
    ///
    /// The count is taken to begin at this call. If it began earlier, say when with [`begun_at`](Self::begun_at).
    #[must_use]
    pub fn new(tokens: u64, subject_keys: u64) -> Self {
        Self { left: Left::OfDek { tokens, subject_keys }, key: None, begun: Begun::default() }
    }

    /// The same for an index root: the number of index values under it, in every index column and side table and in every backup that has to
    /// stay searchable. Nobody checks a zero that you state here, so prefer [`counted_of_index_root`](Self::counted_of_index_root).
    ///
    /// A row that has no index value yet is no evidence: an index that is being filled for the first time is complete when that job is.
    #[must_use]
    pub fn of_index_root(index_values: u64) -> Self {
        Self { left: Left::OfIndexRoot { index_values }, key: None, begun: Begun::default() }
    }

    /// The same count, begun at `time`. Use it for numbers that were counted elsewhere or by hand, and for tests with a clock of their
    /// own. Take `time` from the clock that gives `now` to [`KeyringAdmin::destroy`](crate::keys::KeyringAdmin::destroy). It must not be
    /// later than the first reading, because tokens sealed after that may be missing. [`counted`](Self::counted) does not need this call.
    #[must_use]
    pub fn begun_at(mut self, time: SystemTime) -> Self {
        self.begun = Begun::at(time);
        self
    }

    /// Adds up what is under `key`: in each of `columns`; in `backups`, the number of tokens in everything else that has to stay readable
    /// (backups, exports, queues); and among the `subject_keys` that
    /// [`SubjectAdmin::count_by_key`](crate::subjects::SubjectAdmin::count_by_key) counted. `None` says that you use no subject keys.
    ///
    /// A zero is accepted only from a place that has something: each column, and the store of the subject keys, must show at least one
    /// key of `ring`, the keyring's [`keys`](crate::keys::KeyringFile::keys). Otherwise a mistyped column, another database or schema, a
    /// table whose rows this role may not see, and tokens of another keyspace would all look like an empty column. If a column really is
    /// empty, say so with [`KeyCounts::confirmed_empty`].
    ///
    /// Count after resealing, and after every program has stopped sealing under the key. The count that began first decides whether that
    /// was so.
    ///
    /// ```
    /// use rxseal::count::count_by_key;
    /// use rxseal::keys::RemainingUse;
    /// use rxseal::phi;
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let (_, other) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
    /// # let old = other.keys()[0].id();
    /// let token = keys.record("prescription", 1001)?.seal::<phi::Drug>("warfarin 5 MG")?;
    /// let (drugs, notes) = (count_by_key([&token]), count_by_key([""; 0]));
    ///
    /// // The notes show no token, so they may have been counted in the wrong place.
    /// let error = RemainingUse::counted([&drugs, &notes], keys.keys(), old, 0, None).unwrap_err();
    /// assert_eq!(error.code(), rxseal::ErrorCode::NotCounted);
    ///
    /// let notes = notes.confirmed_empty()?;
    /// let still = RemainingUse::counted([&drugs, &notes], keys.keys(), old, 0, None)?;
    /// assert_eq!((still.tokens(), still.subject_keys()), (0, 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `not-counted` if a zero proves nothing (see above), if there is no column, or if a column may contain more than was counted
    /// ([`KeyCounts::doubt`]); `key-in-use` if some values are not tokens, because nobody knows what is in them.
    pub fn counted<'c>(
        columns: impl IntoIterator<Item = &'c KeyCounts>,
        ring: &[KeyInfo],
        key: KeyId,
        backups: u64,
        subject_keys: Option<&KeyCounts>,
    ) -> Result<Self, Error> {
        if let Some(info) = ring.iter().find(|info| info.id == key && info.usage != KeyUse::Seal) {
            return Err(uncounted(info));
        }
        let mut tokens = None;
        // Nobody knows when `backups` was counted, but it was not later than now.
        let mut begun = Begun::default();
        for column in columns {
            begun = begun.earliest(column.begun());
            let more = left_in(column, ring, key, NO_TOKEN)?;
            tokens = Some(tokens.unwrap_or(backups).saturating_add(more));
        }
        let tokens = tokens.ok_or_else(|| ErrorKind::NotCounted.because("no column was counted").with_key(key))?;
        begun = subject_keys.map_or(begun, |counts| begun.earliest(counts.begun()));
        let subject_keys = subject_keys.map_or(Ok(0), |counts| left_in(counts, ring, key, NO_SUBJECT_KEY))?;
        Ok(Self { left: Left::OfDek { tokens, subject_keys }, key: Some(key), begun })
    }

    pub(super) fn counted_values(index_values: u64, root: KeyId, begun: Begun) -> Self {
        Self { left: Left::OfIndexRoot { index_values }, key: Some(root), begun }
    }

    /// The number of tokens: 0 for an index root.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        match self.left {
            Left::OfDek { tokens, .. } => tokens,
            Left::OfIndexRoot { .. } => 0,
        }
    }

    /// The number of wrapped subject keys: 0 for an index root.
    #[must_use]
    pub fn subject_keys(&self) -> u64 {
        match self.left {
            Left::OfDek { subject_keys, .. } => subject_keys,
            Left::OfIndexRoot { .. } => 0,
        }
    }

    /// The number of index values: 0 for a key that seals.
    #[must_use]
    pub fn index_values(&self) -> u64 {
        match self.left {
            Left::OfDek { .. } => 0,
            Left::OfIndexRoot { index_values } => index_values,
        }
    }

    /// Of which keys it is evidence.
    pub(super) fn usage(&self) -> KeyUse {
        match self.left {
            Left::OfDek { .. } => KeyUse::Seal,
            Left::OfIndexRoot { .. } => KeyUse::Index,
        }
    }

    /// When the count began, in Unix seconds.
    pub(super) fn begun(&self) -> u64 {
        self.begun.unix_seconds()
    }

    /// Checks that nothing is left under this key.
    pub(super) fn check(&self, key: KeyId) -> Result<(), Error> {
        if self.key.is_some_and(|counted| counted != key) {
            return Err(match self.usage() {
                KeyUse::Seal => ErrorKind::NotCounted.because("another key was counted").with_key(key),
                KeyUse::Index => ErrorKind::NotCounted.because("another index root was counted").with_index_root(key),
            });
        }
        match self.left {
            Left::OfDek { tokens: 0, subject_keys: 0 } | Left::OfIndexRoot { index_values: 0 } => Ok(()),
            Left::OfDek { .. } => Err(Error::from(ErrorKind::KeyInUse).with_key(key)),
            Left::OfIndexRoot { .. } => Err(Error::from(ErrorKind::IndexRootInUse).with_index_root(key)),
        }
    }
}

const NO_TOKEN: &str = "a column that was counted shows no token of this keyring. Is it the right database, schema and column, and may this \
    role see every row? If it is empty, say so with `KeyCounts::confirmed_empty`";
const NO_SUBJECT_KEY: &str =
    "the store of subject keys has none of this keyring. Is it the right one? If none are used, say so with `None`";
const NO_TOKENS: &str = "some of the counted values are not tokens but may contain tokens, so look at them first";

fn left_in(counts: &KeyCounts, ring: &[KeyInfo], key: KeyId, nothing: &'static str) -> Result<u64, Error> {
    let refused = match counts.doubt() {
        _ if counts.not_tokens() > 0 => ErrorKind::KeyInUse.because(NO_TOKENS),
        Some(doubt) => ErrorKind::NotCounted.because(doubt),
        None if !counts.shows_one_of(ring) => ErrorKind::NotCounted.because(nothing),
        None => return Ok(counts.of(key)),
    };
    Err(refused.with_key(key))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::count::count_by_key;
    use crate::testing::insecure_keyring;

    /// Whoever fills a count, such as a store, cannot make evidence of a zero, nor take a doubt away.
    #[test]
    fn no_call_makes_a_zero_evidence() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let key = keys.primary_key();
        let token = keys.record("prescription", 1).unwrap().seal::<crate::phi::Drug>("warfarin 5 MG").unwrap();
        let refused = |counts: &KeyCounts| {
            let counted = RemainingUse::counted([counts], keys.keys(), key, 0, None);
            assert_eq!(counted.unwrap_err().code().as_str(), "not-counted", "{counts:?}");
        };
        let mut zero = KeyCounts::default();
        for name in [key.to_string(), format!("joined:{key}"), "null".to_owned(), "not a token".to_owned()] {
            let _ = zero.add_row(&name, 0);
            refused(&zero);
        }
        assert_eq!(zero.iter().count() + zero.joined().count(), 0);
        assert!(zero.add_row(&key.to_string(), -1).is_err());
        refused(&zero);

        let doubted = count_by_key([&token]).doubted(Some("it is a view"));
        refused(&doubted);
        refused(&doubted.clone().doubted(None));
        assert_eq!(doubted.clone().doubted(Some("a standby")).doubt(), Some("it is a view"));
        let mut merged = count_by_key([&token]);
        merged.merge(&doubted);
        refused(&merged);
        let mut merged = doubted;
        merged.merge(&count_by_key([&token]));
        refused(&merged);
        refused(&KeyCounts::default().doubted(Some("a standby")).confirmed_empty().unwrap());
    }

    /// A count that is made of others began when the earliest of them began.
    #[test]
    fn the_count_that_was_begun_first_decides() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let token = keys.record("prescription", 1).unwrap().seal::<crate::phi::Drug>("warfarin 5 MG").unwrap();
        let at = |seconds| count_by_key([&token]).begun_at(UNIX_EPOCH + Duration::from_secs(seconds));
        let merged = |one: &KeyCounts, other: &KeyCounts| {
            let mut merged = one.clone();
            merged.merge(other);
            merged.add(token.as_bytes());
            merged
        };
        let (first, second) = (at(10), at(20));
        let counted = |columns: &[&KeyCounts], subject_keys| {
            let key = keys.primary_key();
            RemainingUse::counted(columns.iter().copied(), keys.keys(), key, 0, subject_keys).unwrap().begun()
        };
        assert_eq!(counted(&[&second], None), 20);
        assert_eq!(counted(&[&second, &first], None), 10);
        assert_eq!(counted(&[&second], Some(&first)), 10);
        assert_eq!(counted(&[&first], Some(&second)), 10);
        assert_eq!(counted(&[&merged(&first, &second)], None), 10);
        assert_eq!(counted(&[&merged(&second, &first)], None), 10);
        let empty = KeyCounts::default().begun_at(UNIX_EPOCH).confirmed_empty().unwrap();
        assert_eq!(counted(&[&second, &empty], None), 0);

        let before = Begun::default().unix_seconds();
        let (now, stated) = (counted(&[&count_by_key([&token])], None), RemainingUse::new(0, 0));
        assert!(now >= before.max(21));
        assert!(stated.begun() >= now);
        assert_eq!(stated.begun_at(UNIX_EPOCH + Duration::from_secs(30)).begun(), 30);
        assert_eq!(first, second, "they counted the same");
    }
}
