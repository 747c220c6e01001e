//! What is known to be left under a key that is to be destroyed.

use crate::count::KeyCounts;
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::KeyInfo;

/// How much is still under a key that is to be destroyed: as counted ([`counted`](Self::counted)), or as somebody says
/// ([`new`](Self::new)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StillUnder {
    tokens: u64,
    subject_keys: u64,
    /// Of which key it was counted.
    key: Option<KeyId>,
}

impl StillUnder {
    /// As the caller says, who counted elsewhere: tokens, in every column and backup that has to stay readable, and wrapped subject
    /// keys, 0 where none are used. Nothing checks a zero that is said here; prefer [`counted`](Self::counted).
    #[must_use]
    pub fn new(tokens: u64, subject_keys: u64) -> Self {
        Self { tokens, subject_keys, key: None }
    }

    /// What is under `key` in each of `columns`, in `backups` (tokens in everything else that has to stay readable: backups, exports,
    /// queues), and among the `subject_keys` that [`SubjectAdmin::count_by_key`](crate::SubjectAdmin::count_by_key) counted; `None`
    /// says that no subject keys are used.
    ///
    /// A zero counts only where something else was seen: each column, and the store of the subject keys, has to show at least one key of
    /// `ring`, the keyring's [`keys`](crate::KeyringFile::keys). A mistyped column, another database or schema, a table whose rows
    /// this role may not see, and tokens of another keyspace all look like an empty column. Of one that is empty say so with
    /// [`KeyCounts::confirmed_empty`]. Count after resealing, and after the time for which programs may still seal under the key.
    ///
    /// ```
    /// use rxseal::{StillUnder, count_by_key, phi};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let (_, other) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
    /// # let old = other.keys()[0].id();
    /// let token = keys.record("prescription", 1001)?.seal::<phi::Drug>("warfarin 5 MG")?;
    /// let (drugs, notes) = (count_by_key([&token]), count_by_key([""; 0]));
    ///
    /// // Nobody knows whether the notes were looked for in the right place.
    /// let error = StillUnder::counted([&drugs, &notes], keys.keys(), old, 0, None).unwrap_err();
    /// assert_eq!(error.code(), "not-counted");
    ///
    /// let notes = notes.confirmed_empty()?;
    /// let still = StillUnder::counted([&drugs, &notes], keys.keys(), old, 0, None)?;
    /// assert_eq!((still.tokens(), still.subject_keys()), (0, 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `not-counted` where a zero says nothing, as above, where there is no column, or where one may hold more than was seen
    /// ([`KeyCounts::doubt`]); `key-in-use` where values were counted that are no tokens: nobody knows what is in them.
    pub fn counted<'c>(
        columns: impl IntoIterator<Item = &'c KeyCounts>,
        ring: &[KeyInfo],
        key: KeyId,
        backups: u64,
        subject_keys: Option<&KeyCounts>,
    ) -> Result<Self, Error> {
        let mut tokens = None;
        for column in columns {
            let more = left_in(column, ring, key, NO_TOKEN)?;
            tokens = Some(tokens.unwrap_or(backups).saturating_add(more));
        }
        let tokens = tokens.ok_or_else(|| ErrorKind::NotCounted.because("no column was counted").with_key(key))?;
        let subject_keys = subject_keys.map_or(Ok(0), |counts| left_in(counts, ring, key, NO_SUBJECT_KEY))?;
        Ok(Self { tokens, subject_keys, key: Some(key) })
    }

    /// Tokens.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Wrapped subject keys.
    #[must_use]
    pub fn subject_keys(&self) -> u64 {
        self.subject_keys
    }

    /// That nothing is left under this key.
    pub(super) fn check(&self, key: KeyId) -> Result<(), Error> {
        if self.key.is_some_and(|counted| counted != key) {
            return Err(ErrorKind::NotCounted.because("what is under another key was counted").with_key(key));
        }
        if self.tokens > 0 || self.subject_keys > 0 {
            return Err(Error::from(ErrorKind::KeyInUse).with_key(key));
        }
        Ok(())
    }
}

const NO_TOKEN: &str = "a column that was counted shows no token of this keyring. Is it the right database, schema and column, and may this \
    role see every row? If it is empty, say so with `KeyCounts::confirmed_empty`";
const NO_SUBJECT_KEY: &str =
    "the store of subject keys has none of this keyring. Is it the right one? If none are used, say so with `None`";
const NO_TOKENS: &str = "values were counted that are no tokens, and may have some in them: look at them first";

fn left_in(counts: &KeyCounts, ring: &[KeyInfo], key: KeyId, nothing: &'static str) -> Result<u64, Error> {
    let refused = match counts.doubt() {
        _ if counts.not_tokens() > 0 => ErrorKind::KeyInUse.because(NO_TOKENS),
        Some(doubt) => ErrorKind::NotCounted.because(doubt),
        None if !counts.shows_one_of(ring) => ErrorKind::NotCounted.because(nothing),
        None => return Ok(counts.of(key)),
    };
    Err(refused.with_key(key))
}
