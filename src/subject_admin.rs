//! Rare work on subjects: shredding, holds, and wrapping their keys under a new DEK.

mod log;
mod receipt;
mod to_clear;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use log::ShredLog;
pub use receipt::{Reapplied, RewrapReport, ShredReceipt};
pub use to_clear::IndexToClear;

#[cfg(any(test, feature = "insecure-test-keys"))]
use crate::clock::TestClock;
use crate::clock::{Clock, SKEW};
use crate::count::KeyCounts;
use crate::error::{Error, ErrorKind};
use crate::id::{Identifier, KeyId, Name};
use crate::key::{KeyInfo, KeyState, WrappedSubjectKey};
use crate::keyring::Keyring;
use crate::observe::{KeyEvent, Observer};
use crate::store::{HELD_AT_MOST, Retention, StoredSubject, SubjectKeyStore};

const UNKNOWN: &str =
    "check the id, the keyspace and the store. If they are right, use `SubjectAdmin::unknown_too`, or `--unknown-too`";
const OTHER_LOG: &str = "the store knows nobody in the log, so check that this is the right log and the right store. If the store was lost as \
    a whole, use `SubjectAdmin::unknown_too`, or `--unknown-too`";
const PAGE: usize = 1000;
/// How often a change is tried if others keep changing the same thing first.
const ATTEMPTS: usize = 16;

/// Shreds subjects, protects them from being shredded, and wraps their keys under a new DEK. It is for operators and jobs.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let folder = std::env::temp_dir().join(format!("rxseal-shred-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # rxseal::run_local(async {
/// use std::sync::Arc;
/// use std::time::Duration;
/// use rxseal::store::MemorySubjectStore;
/// use rxseal::subjects::{ShredLog, SubjectAdmin};
/// let store = Arc::new(MemorySubjectStore::default());
/// let admin = SubjectAdmin::new(Arc::clone(&store));
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let (_, wrapped) = keys.create_subject_key("P-7")?;
/// # rxseal::store::SubjectKeyStore::insert(&*store, "pharmacy-17", "P-7", &wrapped).await?;
/// // A file outside of the store. The store's backups are kept for 30 days.
/// let log = ShredLog::new(folder.join("shredded.log"), Duration::from_secs(30 * 86_400));
///
/// admin.set_legal_hold("pharmacy-17", "P-7", true).await?;
/// assert_eq!(admin.shred("pharmacy-17", "P-7", &log).await.unwrap_err().code(), rxseal::ErrorCode::SubjectRetained);
///
/// admin.set_legal_hold("pharmacy-17", "P-7", false).await?;
/// let receipt = admin.shred("pharmacy-17", "P-7", &log).await?;
/// assert_eq!(receipt.complete_at(), Some(receipt.shredded_at() + 30 * 86_400));
///
/// // An id that was mistyped is refused: the receipt would be for the wrong patient.
/// assert_eq!(admin.shred("pharmacy-17", "P-77", &log).await.unwrap_err().code(), rxseal::ErrorCode::SubjectMissing);
/// # Ok(())
/// # })?;
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
pub struct SubjectAdmin {
    store: Arc<dyn SubjectKeyStore>,
    observer: Option<Arc<dyn Observer>>,
    unknown_too: bool,
    to_clear: Vec<IndexToClear>,
    clock: Clock,
}

impl SubjectAdmin {
    /// Manages the subjects in `store`.
    pub fn new(store: impl SubjectKeyStore + 'static) -> Self {
        Self {
            store: Arc::new(store),
            observer: None,
            unknown_too: false,
            to_clear: Vec::new(),
            clock: Clock::default(),
        }
    }

    /// Also shreds and holds subjects that the store does not know. A shredded one never gets a key, and a key that a held one gets later
    /// is held from the first day. Without this call such subjects are refused, because a wrong id, keyspace or store looks the same.
    #[must_use]
    pub fn unknown_too(mut self) -> Self {
        self.unknown_too = true;
        self
    }

    /// Names index columns.
    pub(crate) fn with_indexes(mut self, columns: impl IntoIterator<Item = IndexToClear>) -> Self {
        self.to_clear.extend(columns);
        self
    }

    /// Uses a test's clock.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn clock(mut self, clock: &TestClock) -> Self {
        self.clock = clock.into();
        self
    }

    /// Tells `observer` of every subject that is shredded.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Destroys the key of a subject and leaves a tombstone, so the subject never gets another key. It does so again if the subject was
    /// shredded before.
    ///
    /// Fields that were sealed with the key no longer open in any process from [`effective_at`](ShredReceipt::effective_at) on, and no
    /// longer with any backup from [`complete_at`](ShredReceipt::complete_at) on. The receipt is returned only after the line in the log
    /// is on disk: if the call fails, repeat it.
    ///
    /// If [`indexed`](Self::indexed) named index columns, the receipt lists them: clear them in each row of the subject, and confirm it
    /// with [`indexes_cleared`](Self::indexes_cleared).
    ///
    /// # Errors
    ///
    /// `subject-retained` if the subject must be kept, as this machine's clock says now; `subject-missing` if the store does not know
    /// the subject (see [`unknown_too`](Self::unknown_too)); `invalid-id`, and those of the store and of the log.
    pub async fn shred<'a>(
        &self,
        keyspace: &str,
        subject: impl Into<Identifier<'a>>,
        log: &ShredLog,
    ) -> Result<ShredReceipt, Error> {
        let subject = subject.into();
        let subject = subject.parse("subject id")?;
        Name::check("keyspace", keyspace)?;
        log.check()?;
        let before = self.known(keyspace, subject).await?;
        let shredded_at = self.store.shred(keyspace, subject, self.clock.unix_now()).await?;
        // After the store, which may refuse, so that the log names only shredded subjects. Each time, because an earlier line may be
        // missing.
        log.append(keyspace, subject, shredded_at)?;
        let was_known = before != StoredSubject::Absent;
        Ok(self.receipt(keyspace, subject, shredded_at, was_known, log))
    }

    /// The receipt of a subject whose rows hold no index value any more. Call it after you cleared the columns that the receipt
    /// [lists](ShredReceipt::to_clear), in each row of the subject and in side tables of theirs. `backups_kept` is how long backups of these
    /// are kept, since they still have the values.
    ///
    /// Clear them when the receipt is [effective](ShredReceipt::effective_at) or later. A program that held the subject's key until then may
    /// have written a row with index values.
    ///
    /// # Errors
    ///
    /// `cleared-too-early` if the receipt is not effective yet.
    pub fn indexes_cleared(&self, receipt: ShredReceipt, backups_kept: Duration) -> Result<ShredReceipt, Error> {
        receipt.cleared(self.clock.unix_now(), backups_kept)
    }

    /// Protects the subject's key from being destroyed until further notice, or ends that protection: for example, a court or a payer
    /// asks for its records. Returns the retention that is in force now.
    ///
    /// # Errors
    ///
    /// `subject-shredded` if there is nothing left to keep; `subject-missing` if the store does not know the subject; `invalid-id`, and
    /// those of the store.
    pub async fn set_legal_hold<'a>(
        &self,
        keyspace: &str,
        subject: impl Into<Identifier<'a>>,
        held: bool,
    ) -> Result<Retention, Error> {
        self.change_retention(keyspace, subject.into().parse("subject id")?, |now| now.legal_hold(held)).await
    }

    /// Protects the subject's key from being destroyed until a time in Unix seconds, or with `None` ends that protection: for example,
    /// the law asks for its records. Returns the retention that is in force now.
    ///
    /// # Errors
    ///
    /// `retention-past` if that time has passed; `subject-shredded` if there is nothing left to keep; `subject-missing` if the store does
    /// not know the subject; `invalid-id`, and those of the store.
    pub async fn set_retain_until<'a>(
        &self,
        keyspace: &str,
        subject: impl Into<Identifier<'a>>,
        seconds: Option<u64>,
    ) -> Result<Retention, Error> {
        self.change_retention(keyspace, subject.into().parse("subject id")?, |now| now.until(seconds)).await
    }

    /// Sets hold and time in one change, if `old` is still stored. So it does not overrule what somebody else set meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`set_retain_until`](Self::set_retain_until), and `store-conflict` if another retention than `old` is stored.
    pub async fn retain<'a>(
        &self,
        keyspace: &str,
        subject: impl Into<Identifier<'a>>,
        old: Retention,
        new: Retention,
    ) -> Result<(), Error> {
        let subject = subject.into();
        let subject = subject.parse("subject id")?;
        let (before, until) = (old.retained_until(), new.retained_until());
        if until != before && until.is_some_and(|until| until <= self.clock.unix_now()) {
            return Err(ErrorKind::RetentionPast.into());
        }
        if let StoredSubject::Shredded { .. } = self.known(keyspace, subject).await? {
            return Err(ErrorKind::SubjectShredded.into());
        }
        self.store.retain(keyspace, subject, old, new).await
    }

    /// The subject's retention: until when its key must not be destroyed.
    ///
    /// # Errors
    ///
    /// `invalid-id`, and those of the store.
    pub async fn retention<'a>(&self, keyspace: &str, subject: impl Into<Identifier<'a>>) -> Result<Retention, Error> {
        self.store.retention(keyspace, subject.into().parse("subject id")?).await
    }

    /// Shreds every subject in the log again. Call it after the store was restored from a backup, or a standby took over: both may bring
    /// shredded keys back. It also shreds subjects that the store does not know, because the backup may be older than their key.
    ///
    /// A restore also brings holds back, even those that were released before the shredding. Such a subject is not shredded: release the
    /// hold and repeat the call. Whether a subject is held is decided now. The times in the log decide nothing; lines with a time in the
    /// future are [listed](Reapplied::ahead).
    ///
    /// Call it after a restore of the database with the rows too, if they have index columns: the backup has the values of shredded subjects
    /// again, and [`Reapplied::to_clear`] lists these.
    ///
    /// # Errors
    ///
    /// Before anything is changed, `store-refused` if the log cannot be read or has a line that rxseal did not write, and
    /// `subject-missing` if the store knows nobody in the log: it is then another log or another store, unless
    /// [`unknown_too`](Self::unknown_too) says that the whole store was lost. Later, those of the store.
    pub async fn reapply(&self, log: &ShredLog) -> Result<Reapplied, Error> {
        let (mut reapplied, mut unfinished) = (Reapplied::default(), None);
        let lines = log.read()?;
        self.check_known(lines.keys()).await?;
        for ((keyspace, subject), at) in lines {
            let now = self.clock.unix_now();
            if at > now.saturating_add(SKEW) {
                reapplied.add_ahead(keyspace.clone(), subject.clone());
            }
            // The tombstone says when the subject was first shredded.
            let destroyed = self.destroy(&keyspace, &subject, at.min(now)).await;
            if destroyed.is_ok() && !self.to_clear.is_empty() {
                reapplied.add_to_clear(keyspace.clone(), subject.clone());
            }
            match destroyed {
                Ok((StoredSubject::Shredded { .. }, _)) => reapplied.add_before(),
                Ok((before, shredded_at)) => {
                    let was_known = before != StoredSubject::Absent;
                    reapplied.add_now(was_known);
                    self.receipt(&keyspace, &subject, shredded_at, was_known, log);
                }
                // The hold was set since, or the restore brought it back: nobody may overrule it silently.
                Err(error) if error.kind() == ErrorKind::SubjectRetained => reapplied.add_retained(keyspace, subject),
                // The error may concern this subject only, and the others must not wait for a person.
                Err(error) if !error.is_retryable() => reapplied.add_failed(keyspace, subject, error),
                // The key is deleted, but still in a log of the database that somebody reads. The others' keys must go all the same.
                Err(error) if self.has_tombstone(&keyspace, &subject).await => unfinished = Some(error),
                Err(error) => return Err(error),
            }
        }
        unfinished.map_or(Ok(reapplied), Err)
    }

    async fn has_tombstone(&self, keyspace: &str, subject: &str) -> bool {
        matches!(self.stored(keyspace, subject).await, Ok(StoredSubject::Shredded { .. }))
    }

    async fn stored(&self, keyspace: &str, subject: &str) -> Result<StoredSubject, Error> {
        Ok(self.store.get(keyspace, &[subject]).await?.pop().unwrap_or(StoredSubject::Absent))
    }

    /// Whether a log and a store belong together: a restored store knows some of the subjects in its log.
    async fn check_known(&self, mut lines: impl Iterator<Item = &(String, String)>) -> Result<(), Error> {
        let Some((keyspace, first)) = lines.next().filter(|_| !self.unknown_too) else { return Ok(()) };
        let mut stored = self.stored(keyspace, first).await;
        for (keyspace, subject) in lines {
            if !matches!(stored, Ok(StoredSubject::Absent)) {
                return Ok(());
            }
            stored = self.stored(keyspace, subject).await;
        }
        // A subject that cannot be read is known.
        if matches!(stored, Ok(StoredSubject::Absent)) {
            Err(ErrorKind::SubjectMissing.because(OTHER_LOG))
        } else {
            Ok(())
        }
    }

    /// What is stored of a subject. The store must know it, at least by a hold, unless `unknown_too` was called.
    async fn known(&self, keyspace: &str, subject: &str) -> Result<StoredSubject, Error> {
        let stored = self.stored(keyspace, subject).await?;
        if stored != StoredSubject::Absent
            || self.unknown_too
            || self.store.retention(keyspace, subject).await? != Retention::default()
        {
            return Ok(stored);
        }
        Err(ErrorKind::SubjectMissing.because(UNKNOWN))
    }

    /// How many subject keys are wrapped under each DEK. Do not destroy a DEK that wraps a subject key.
    ///
    /// # Errors
    ///
    /// `invalid-subject-key` if a subject key is damaged, since it may be under any DEK ([`rewrap`](Self::rewrap) says whose it is), and
    /// those of the store.
    pub async fn count_by_key(&self, keyspace: &str) -> Result<KeyCounts, Error> {
        let mut counts = KeyCounts::default();
        let mut pages = Pages::of(&*self.store, keyspace);
        while let Some(page) = pages.next().await? {
            for (_, stored) in &page {
                counts.add_key(whole(stored)?.key_id(), 1);
            }
        }
        Ok(counts)
    }

    /// The subjects whose key is wrapped under this DEK. If the DEK is compromised, these are exposed to anyone who also has a copy of
    /// the store. A subject whose key is damaged is included, because that key may be under any DEK; [`rewrap`](Self::rewrap) lists it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn subjects_under(&self, keyspace: &str, key_id: KeyId) -> Result<Vec<String>, Error> {
        let mut subjects = Vec::new();
        let mut pages = Pages::of(&*self.store, keyspace);
        while let Some(page) = pages.next().await? {
            let under = page.into_iter().filter(|(_, stored)| whole(stored).map_or(true, |key| key.key_id() == key_id));
            subjects.extend(under.map(|(subject, _)| subject));
        }
        Ok(subjects)
    }

    /// Wraps every subject key under the primary DEK, if it is under another one. You may interrupt it, repeat it, and run it beside
    /// services. A service that still has the old keyring makes keys under the old DEK, so repeat it when no service has that keyring any
    /// more.
    ///
    /// Keys under a compromised DEK are left and listed: see [`rewrap_compromised`](Self::rewrap_compromised). Keys under a DEK that is
    /// pre-active in `keys` are left too, because a program with a newer keyring wrapped them.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn rewrap(&self, keys: &Keyring) -> Result<RewrapReport, Error> {
        self.rewrap_by(keys, |subject, wrapped| keys.rewrap_subject_key(subject, wrapped)).await
    }

    /// The same as [`rewrap`](Self::rewrap), but also rewraps keys under a compromised DEK. Whoever holds that DEK could have put keys of
    /// their own there. So use it only if you trust the store, or compare with an earlier backup. See
    /// [`Keyring::rewrap_subject_key_compromised`].
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn rewrap_compromised(&self, keys: &Keyring) -> Result<RewrapReport, Error> {
        self.rewrap_by(keys, |subject, wrapped| match keys.rewrap_subject_key(subject, wrapped) {
            Err(error) if error.is_key_state() => keys.rewrap_subject_key_compromised(subject, wrapped),
            done => done,
        })
        .await
    }

    async fn rewrap_by(
        &self,
        keys: &Keyring,
        rewrap: impl Fn(&str, &WrappedSubjectKey) -> Result<WrappedSubjectKey, Error> + Send,
    ) -> Result<RewrapReport, Error> {
        let mut report = RewrapReport::default();
        let keyspace = keys.keyspace();
        let mut pages = Pages::of(&*self.store, keyspace);
        while let Some(page) = pages.next().await? {
            for (subject, stored) in &page {
                let wrapped = whole(stored);
                if wrapped.as_ref().is_ok_and(|wrapped| is_done(keys, wrapped.key_id())) {
                    report.before = report.before.saturating_add(1);
                    continue;
                }
                let (wrapped, fresh) = match wrapped.and_then(|wrapped| Ok((wrapped, rewrap(subject, wrapped)?))) {
                    Ok(both) => both,
                    Err(error) => {
                        report.failed.push((subject.clone(), error));
                        continue;
                    }
                };
                match self.store.replace(keyspace, subject, wrapped, &fresh).await {
                    Ok(()) => report.rewrapped = report.rewrapped.saturating_add(1),
                    // Somebody else rewrapped or shredded it meanwhile.
                    Err(error) if error.is_conflict() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(report)
    }

    /// Returns what was stored before, and when the subject was shredded.
    async fn destroy(&self, keyspace: &str, subject: &str, at: u64) -> Result<(StoredSubject, u64), Error> {
        let before = self.stored(keyspace, subject).await?;
        Ok((before, self.store.shred(keyspace, subject, at).await?))
    }

    /// Makes the receipt and tells the observer. Its times count from now, because nobody can read the key from the store any more.
    fn receipt(&self, keyspace: &str, subject: &str, at: u64, was_known: bool, log: &ShredLog) -> ShredReceipt {
        let receipt = ShredReceipt::new(keyspace, subject, at, was_known).complete(
            self.clock.unix_now(),
            HELD_AT_MOST,
            log.backups_kept(),
        );
        let receipt = receipt.still(&self.to_clear);
        if let Some(observer) = &self.observer {
            observer.key_event(&KeyEvent::Shredded { keyspace, subject, complete_at: receipt.key_gone_at() });
        }
        receipt
    }

    /// Tries again if somebody else changed the retention in between, so that both changes are kept.
    async fn change_retention(
        &self,
        keyspace: &str,
        subject: &str,
        change: impl Fn(Retention) -> Retention + Send,
    ) -> Result<Retention, Error> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            let old = self.store.retention(keyspace, subject).await?;
            let new = change(old);
            match self.retain(keyspace, subject, old, new).await {
                Ok(()) => return Ok(new),
                Err(error) if error.is_conflict() && attempts.next().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for SubjectAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectAdmin").finish_non_exhaustive()
    }
}

fn is_done(keys: &Keyring, key: KeyId) -> bool {
    let is_newer = |info: &KeyInfo| info.id() == key && info.state() == KeyState::PreActive;
    key == keys.primary_key() || keys.keys().iter().any(is_newer)
}

fn whole(stored: &StoredSubject) -> Result<&WrappedSubjectKey, Error> {
    match stored {
        StoredSubject::Key(wrapped) => Ok(wrapped),
        _ => Err(ErrorKind::InvalidSubjectKey.into()),
    }
}

/// Every subject of a keyspace that has a key, page by page.
struct Pages<'a> {
    store: &'a dyn SubjectKeyStore,
    keyspace: &'a str,
    after: Option<String>,
}

impl<'a> Pages<'a> {
    fn of(store: &'a dyn SubjectKeyStore, keyspace: &'a str) -> Self {
        Self { store, keyspace, after: None }
    }

    async fn next(&mut self) -> Result<Option<Vec<(String, StoredSubject)>>, Error> {
        let page = self.store.page(self.keyspace, self.after.as_deref(), PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.after = Some(last.clone());
        Ok(Some(page))
    }
}
