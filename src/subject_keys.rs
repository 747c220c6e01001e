//! The subject keys of a service, made once for each patient and held for minutes.

mod cache;
mod loaded;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use loaded::LoadedSubjects;

#[cfg(any(test, feature = "insecure-test-keys"))]
use crate::clock::TestClock;
use crate::error::{Error, ErrorKind};
use crate::id::{Identifier, KeyId};
use crate::key::{SubjectKey, WrappedSubjectKey};
use crate::keyring::Keyring;
use crate::store::{StoredSubject, SubjectKeyStore};

use cache::{KnownSubject, SubjectCache};

const CAPACITY: u64 = 100_000;
/// How often a caller waits for somebody else's call whose result does not apply to it, before it makes a call of its own.
const SHARED_ATTEMPTS: usize = 2;

/// The keys of patients, read from a store and held in memory for less than five minutes. It is cheap to clone, and needs a runtime
/// only if its store does.
///
/// A record that is sealed with a subject's key opens only with that key. If you destroy the key (see
/// [`SubjectAdmin::shred`](crate::subjects::SubjectAdmin::shred)), every such field of the patient is lost, wherever a copy of it is.
///
/// Once a `SubjectKeys` has seen a subject shredded, that holds for as long as the program runs, even if somebody puts back a backup of
/// the store that has the key.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # rxseal::run_local(async {
/// use rxseal::store::MemorySubjectStore;
/// use rxseal::subjects::SubjectKeys;
/// use rxseal::phi;
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let subjects = SubjectKeys::new(MemorySubjectStore::default());
///
/// // Makes a key if the patient has none yet.
/// let patient = subjects.subject_or_create(&keys, "P-7").await?;
/// let rec = keys.record("prescription", "RX-1001")?.subject(&patient)?;
/// let token = rec.seal::<phi::Drug>("warfarin 5 MG")?;
///
/// // For reading: never makes a key.
/// assert_eq!(subjects.subject(&keys, "P-8").await.unwrap_err().code(), rxseal::ErrorCode::SubjectMissing);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone)]
pub struct SubjectKeys {
    store: Arc<dyn SubjectKeyStore>,
    cache: SubjectCache,
}

impl SubjectKeys {
    /// The keys in `store`. At most 100,000 are held in memory, each for less than 5 minutes.
    pub fn new(store: impl SubjectKeyStore + 'static) -> Self {
        Self::with_limits(store, CAPACITY, Duration::MAX)
    }

    /// The same as [`new`](Self::new), but holds at most `capacity` keys, each for `time` if that is shorter. Every 10 seconds a thread
    /// wipes the keys whose time is over. If the program cannot start a thread, no key is held.
    pub fn with_limits(store: impl SubjectKeyStore + 'static, capacity: u64, time: Duration) -> Self {
        Self { store: Arc::new(store), cache: SubjectCache::new(capacity, time) }
    }

    /// Uses a test's clock.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn clock(self, clock: &TestClock) -> Self {
        Self { cache: self.cache.clock(clock.into()), ..self }
    }

    /// The key of a subject that has one. Use it for opening: it never makes a key.
    ///
    /// Callers that wait for the same subject share one call of the store.
    ///
    /// # Errors
    ///
    /// `subject-missing` if the subject has no key, `subject-shredded`, `invalid-id`, and those of [`Keyring::unwrap_subject_key`] and of
    /// the store.
    pub async fn subject<'a>(&self, keys: &Keyring, subject: impl Into<Identifier<'a>>) -> Result<SubjectKey, Error> {
        self.hold(keys, subject.into().parse("subject id")?, false).await
    }

    /// The key of a subject. If the subject has none, one is made and stored. Use it for sealing.
    ///
    /// Callers that wait for the same subject share one call of the store. If two programs meet a new patient at once, both get the
    /// key that was stored first.
    ///
    /// # Errors
    ///
    /// `subject-shredded`, `invalid-id`, `random-failed`, those of [`Keyring::unwrap_subject_key`] and of the store.
    pub async fn subject_or_create<'a>(
        &self,
        keys: &Keyring,
        subject: impl Into<Identifier<'a>>,
    ) -> Result<SubjectKey, Error> {
        self.hold(keys, subject.into().parse("subject id")?, true).await
    }

    /// The keys of many subjects, with one query of the store for all that are not held. Use it for opening: it never makes a key.
    ///
    /// ```
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # rxseal::run_local(async {
    /// # use rxseal::store::MemorySubjectStore;
    /// # use rxseal::subjects::SubjectKeys;
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let subjects = SubjectKeys::new(MemorySubjectStore::default());
    /// # subjects.subject_or_create(&keys, "P-7").await?;
    /// let patients = subjects.load(&keys, ["P-7", "P-8"]).await?;
    /// let rec = keys.record("prescription", "RX-1001")?.subject(patients.get("P-7")?)?;
    /// assert_eq!(patients.get("P-8").unwrap_err().code(), rxseal::ErrorCode::SubjectMissing);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `invalid-id`, and those of the store. An error about one subject is returned by [`LoadedSubjects::get`].
    pub async fn load<'a>(
        &self,
        keys: &Keyring,
        subjects: impl IntoIterator<Item = impl Into<Identifier<'a>>>,
    ) -> Result<LoadedSubjects, Error> {
        let subjects: Vec<_> = subjects.into_iter().map(Into::into).collect();
        let mut loaded = LoadedSubjects::default();
        let mut missing = Vec::new();
        for subject in &subjects {
            let subject = subject.parse("subject id")?;
            match self.cache.get(&entry(keys, subject)).await {
                Some(held) => loaded.put(subject, Ok(held)),
                None => missing.push(subject),
            }
        }
        if missing.is_empty() {
            return Ok(loaded);
        }
        missing.sort_unstable();
        missing.dedup();
        let mark = self.cache.mark();
        let stored = self.store.get(keys.keyspace(), &missing).await?;
        for (subject, stored) in missing.into_iter().zip(stored) {
            let held = self.held(keys, subject, &stored);
            if let Ok(held) = &held {
                self.cache.put(entry(keys, subject), held.share(), mark).await;
            }
            loaded.put(subject, held);
        }
        Ok(loaded)
    }

    /// As [`load`](Self::load), and a subject that has no key gets one. Use it for sealing.
    ///
    /// # Errors
    ///
    /// `invalid-id`, and those of the store. An error about one subject is returned by [`LoadedSubjects::get`].
    pub async fn load_or_create<'a>(
        &self,
        keys: &Keyring,
        subjects: impl IntoIterator<Item = impl Into<Identifier<'a>>>,
    ) -> Result<LoadedSubjects, Error> {
        let subjects: Vec<Identifier<'a>> = subjects.into_iter().map(Into::into).collect();
        let mut loaded = self.load(keys, subjects.iter().cloned()).await?;
        for subject in &subjects {
            let subject = subject.parse("subject id")?;
            if loaded.is_missing(subject) {
                loaded.put(subject, self.hold(keys, subject, true).await.map(KnownSubject::Key));
            }
        }
        Ok(loaded)
    }

    /// Wipes the held key of a subject, for example after this program shredded the subject.
    pub async fn forget<'a>(&self, keyspace: &str, subject: impl Into<Identifier<'a>>) {
        // An invalid id has no key.
        if let Ok(subject) = subject.into().parse("subject id") {
            self.cache.forget(&name(keyspace, subject)).await;
        }
    }

    async fn hold(&self, keys: &Keyring, subject: &str, creates: bool) -> Result<SubjectKey, Error> {
        let asker = Asker { generation: keys.generation(), primary: keys.primary_key(), creates };
        let name = entry(keys, subject);
        for _ in 0..SHARED_ATTEMPTS {
            let make = async { self.make(keys, subject, creates).await.map_err(|error| Failed { asker, error }) };
            match self.cache.get_or_make(&name, make).await {
                Ok(Some(held)) => return held.key(),
                Ok(None) => break,
                // The error of a caller with another keyring, or of one that makes no key, does not apply to this caller. An error that
                // may pass is the store's own.
                Err(failed) if failed.asker != asker && !failed.error.is_retryable() => {}
                Err(failed) => return Err(failed.error.again()),
            }
        }
        self.make(keys, subject, creates).await?.key()
    }

    async fn make(&self, keys: &Keyring, subject: &str, creates: bool) -> Result<KnownSubject, Error> {
        let keyspace = keys.keyspace();
        let stored = self.store.get(keyspace, &[subject]).await?.pop().unwrap_or(StoredSubject::Absent);
        if stored != StoredSubject::Absent || !creates || self.cache.is_buried(&entry(keys, subject)) {
            return self.held(keys, subject, &stored);
        }
        let (_, wrapped): (_, WrappedSubjectKey) = keys.create_subject_key(subject)?;
        // The key that was stored first is used: if it is another one, the key made here is dropped.
        self.held(keys, subject, &self.store.insert(keyspace, subject, &wrapped).await?)
    }

    /// The stored key. A subject that was seen shredded stays shredded, even if a backup of the store was put back.
    fn held(&self, keys: &Keyring, subject: &str, stored: &StoredSubject) -> Result<KnownSubject, Error> {
        match stored {
            StoredSubject::Shredded { .. } => {
                self.cache.bury(&entry(keys, subject));
                Ok(KnownSubject::Shredded)
            }
            _ if self.cache.is_buried(&entry(keys, subject)) => Ok(KnownSubject::Shredded),
            StoredSubject::Key(wrapped) => Ok(KnownSubject::Key(keys.unwrap_subject_key(subject, wrapped)?)),
            StoredSubject::Damaged => Err(ErrorKind::InvalidSubjectKey.into()),
            StoredSubject::Absent => Err(ErrorKind::SubjectMissing.into()),
        }
    }
}

impl fmt::Debug for SubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectKeys").field("held", &self.cache.count()).finish_non_exhaustive()
    }
}

/// Apart from the store, what the result of its call depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asker {
    generation: u64,
    primary: KeyId,
    creates: bool,
}

struct Failed {
    asker: Asker,
    error: Error,
}

fn entry(keys: &Keyring, subject: &str) -> Box<str> {
    name(keys.keyspace(), subject)
}

/// Neither of the two contains a space.
fn name(keyspace: &str, subject: &str) -> Box<str> {
    format!("{keyspace} {subject}").into()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::root_key::run_local;
    use crate::store::MemorySubjectStore;

    const TENANT: &str = "pharmacy-17";

    /// A key that the program has dropped is wiped as soon as the cache drops it.
    #[test]
    fn keys_are_wiped_when_their_time_is_over() {
        let keys = crate::testing::insecure_keyring(TENANT).unwrap().unobserved();
        let store = Arc::new(MemorySubjectStore::default());
        let ask =
            |subjects: &SubjectKeys, name: &str| run_local(subjects.subject_or_create(&keys, name)).unwrap().watch();

        let subjects = SubjectKeys::new(Arc::clone(&store));
        let is_wiped = ask(&subjects, "P-7");
        assert!(!is_wiped(), "it is held");
        run_local(async {
            subjects.forget(TENANT, "P-7").await;
            Ok(())
        })
        .unwrap();
        assert!(is_wiped(), "at once");
        let is_wiped = ask(&subjects, "P-7");
        drop(subjects);
        assert!(is_wiped(), "with the last handle");

        let none = SubjectKeys::with_limits(Arc::clone(&store), 0, Duration::MAX);
        let patients: Vec<_> = (0..2_000).map(|at| ask(&none, &format!("P-{at}"))).collect();
        assert!(patients.iter().filter(|is_wiped| !is_wiped()).count() < 1_000, "there is no room for them");

        // The keys are wiped although nobody calls any more.
        let short = SubjectKeys::with_limits(store, 5_000, Duration::from_millis(10));
        let patients: Vec<_> = (0..2_000).map(|at| ask(&short, &format!("P-{at}"))).collect();
        let begun = Instant::now();
        while patients.iter().any(|is_wiped| !is_wiped()) {
            assert!(begun.elapsed() < Duration::from_secs(120), "an idle program holds keys");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
