//! What was unlocked before, so that no keyspace goes back.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::{KeyInfo, KeyringFile};

/// What was seen of each keyspace that was ever unlocked here: also after it was let go it does not go back.
#[derive(Default)]
pub(super) struct Seen(Mutex<BTreeMap<String, Newest>>);

struct Newest {
    generation: u64,
    /// Every generation made from this one has them, also those that were destroyed since.
    keys: Box<[KeyId]>,
}

impl Seen {
    pub(super) fn check(&self, file: &KeyringFile) -> Result<(), Error> {
        self.lock().get(file.keyspace()).map_or(Ok(()), |newest| newest.check(file))
    }

    /// Checked once more: after a keyspace was let go, a slower attempt from before may end after a newer one.
    pub(super) fn see(&self, file: &KeyringFile) -> Result<(), Error> {
        let mut seen = self.lock();
        seen.get(file.keyspace()).map_or(Ok(()), |newest| newest.check(file))?;
        seen.insert(file.keyspace().to_owned(), Newest::of(file));
        Ok(())
    }

    /// Each change leaves it whole, so a panic elsewhere does no harm.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Newest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Newest {
    fn of(file: &KeyringFile) -> Self {
        Self { generation: file.generation(), keys: file.keys().iter().map(KeyInfo::id).collect() }
    }

    /// Refuses what was not made from this one: an older generation, and one that lacks a key, since it was made from an older one.
    /// What was sealed under that key a moment ago would not open any more.
    fn check(&self, file: &KeyringFile) -> Result<(), Error> {
        // A file's keys are in ascending order of their ids.
        let has = |key: &KeyId| file.keys().binary_search_by_key(key, KeyInfo::id).is_ok();
        if file.generation() < self.generation {
            Err(ErrorKind::KeyringTooOld.into())
        } else if !self.keys.iter().all(has) {
            Err(ErrorKind::KeyringForked.into())
        } else {
            Ok(())
        }
    }
}
