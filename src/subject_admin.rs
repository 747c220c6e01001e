//! What is done to subjects once in their life: shredded, held, carried over to a new DEK.

mod log;
mod receipt;

use std::fmt;
use std::sync::Arc;

pub use log::ShredLog;
pub use receipt::{Reapplied, RewrapReport, ShredReceipt};

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
    "are the id, the keyspace and the store the right ones? If so, say `SubjectAdmin::unknown_too`, or `--unknown-too`";
const OTHER_LOG: &str = "the store knows nobody in the log: is it the right log, and the right store? If the store was lost as a whole, say \
    `SubjectAdmin::unknown_too`, or `--unknown-too`";
const PAGE: usize = 1000;
/// Of a change that others keep preceding.
const ATTEMPTS: usize = 16;

/// Shreds subjects, keeps them from being shredded, and carries their keys over to a new DEK. For operators and jobs.
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
/// // Outside of the store, whose backups are kept for 30 days.
/// let log = ShredLog::new(folder.join("shredded.log"), Duration::from_secs(30 * 86_400));
///
/// admin.set_legal_hold("pharmacy-17", "P-7", true).await?;
/// assert_eq!(admin.shred("pharmacy-17", "P-7", &log).await.unwrap_err().code(), rxseal::ErrorCode::SubjectRetained);
///
/// admin.set_legal_hold("pharmacy-17", "P-7", false).await?;
/// let receipt = admin.shred("pharmacy-17", "P-7", &log).await?;
/// assert_eq!(receipt.complete_at() - receipt.shredded_at(), 30 * 86_400);
///
/// // A mistyped id would leave the patient as they are, and a receipt that says otherwise.
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
    clock: Clock,
}

impl SubjectAdmin {
    /// The subjects in `store`.
    pub fn new(store: impl SubjectKeyStore + 'static) -> Self {
        Self { store: Arc::new(store), observer: None, unknown_too: false, clock: Clock::default() }
    }

    /// Also shreds and holds a subject of whom the store knows nothing: who never had a key gets none any more, and whose key is
    /// still to come is held from the first day. Otherwise that is refused, since an id, a keyspace or a store that is mistaken looks the
    /// same.
    #[must_use]
    pub fn unknown_too(mut self) -> Self {
        self.unknown_too = true;
        self
    }

    /// With the clocks of a test.
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

    /// Destroys the key of a subject, and leaves a tombstone: the subject gets no other key. Again where it was shredded before, and
    /// also where it had none if [`unknown_too`](Self::unknown_too) says so.
    ///
    /// What was sealed with it opens no more, from [`effective_at`](ShredReceipt::effective_at) on in every process, and from
    /// [`complete_at`](ShredReceipt::complete_at) on with no backup either. It says so only when the line in the log is on the disk:
    /// where it fails, repeat it.
    ///
    /// # Errors
    ///
    /// `subject-retained` while the subject's retention asks for its records, by the clock of this machine and now;
    /// `subject-missing` where nothing is stored of it; `invalid-id`, and those of the store and of the log.
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
        // After the store, which may refuse: the log has none who was not shredded. Each time, since its line may be missing.
        log.append(keyspace, subject, shredded_at)?;
        let was_known = before != StoredSubject::Absent;
        Ok(self.receipt(keyspace, subject, shredded_at, was_known, log))
    }

    /// Keeps the subject's key from being destroyed until further notice, or lets go of that: a court or a payer asks for its records.
    /// Gives what holds now.
    ///
    /// # Errors
    ///
    /// `subject-shredded`: there is nothing left to keep; `subject-missing` where nothing is stored of the subject;
    /// `invalid-id`, and those of the store.
    pub async fn set_legal_hold<'a>(
        &self,
        keyspace: &str,
        subject: impl Into<Identifier<'a>>,
        held: bool,
    ) -> Result<Retention, Error> {
        self.change_retention(keyspace, subject.into().parse("subject id")?, |now| now.legal_hold(held)).await
    }

    /// Keeps the subject's key from being destroyed until then, in Unix seconds, or lets go of that: the law asks for its records.
    /// Gives what holds now.
    ///
    /// # Errors
    ///
    /// `retention-past` where that time has passed; `subject-shredded`: there is nothing left to keep; `subject-missing` where nothing is stored of the subject;
    /// `invalid-id`, and those of the store.
    pub async fn set_retain_until<'a>(
        &self,
        keyspace: &str,
        subject: impl Into<Identifier<'a>>,
        seconds: Option<u64>,
    ) -> Result<Retention, Error> {
        self.change_retention(keyspace, subject.into().parse("subject id")?, |now| now.until(seconds)).await
    }

    /// Sets both in one change, and only in place of `old`: what somebody else sets meanwhile is not overruled.
    ///
    /// # Errors
    ///
    /// Those of [`set_retain_until`](Self::set_retain_until), and `store-conflict` where another retention than `old` is stored.
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

    /// Until when the subject's key must not be destroyed.
    ///
    /// # Errors
    ///
    /// `invalid-id`, and those of the store.
    pub async fn retention<'a>(&self, keyspace: &str, subject: impl Into<Identifier<'a>>) -> Result<Retention, Error> {
        self.store.retention(keyspace, subject.into().parse("subject id")?).await
    }

    /// Shreds again whoever the log says was shredded: after the store was restored from a backup, or a standby took over, which brought
    /// their keys back. Also whom the store does not know: it is older than their key. Holds come back too, also those that were released
    /// before the shredding: release them and repeat it.
    ///
    /// Whether somebody is held is judged now. The times in the log decide nothing; lines whose time is yet to come are
    /// [named](Reapplied::ahead).
    ///
    /// # Errors
    ///
    /// `store-refused` if the log cannot be read or has a line that rxseal did not write, and `subject-missing` if the store knows
    /// nobody in it (it is another log, or another store, unless [`unknown_too`](Self::unknown_too) says that it was lost as a whole),
    /// before anything is done; those of the store.
    pub async fn reapply(&self, log: &ShredLog) -> Result<Reapplied, Error> {
        let (mut reapplied, mut unfinished) = (Reapplied::default(), None);
        let lines = log.read()?;
        self.check_known(lines.keys()).await?;
        for ((keyspace, subject), at) in lines {
            let now = self.clock.unix_now();
            if at > now.saturating_add(SKEW) {
                reapplied.add_ahead(keyspace.clone(), subject.clone());
            }
            // What the tombstone says is when it was shredded first.
            match self.destroy(&keyspace, &subject, at.min(now)).await {
                Ok((StoredSubject::Shredded { .. }, _)) => reapplied.add_before(),
                Ok((before, shredded_at)) => {
                    let was_known = before != StoredSubject::Absent;
                    reapplied.add_now(was_known);
                    self.receipt(&keyspace, &subject, shredded_at, was_known, log);
                }
                // Set since, or back with the restore: nobody may overrule it silently.
                Err(error) if error.kind() == ErrorKind::SubjectRetained => reapplied.add_retained(keyspace, subject),
                // Of this one alone, perhaps: the others must not wait for a person.
                Err(error) if !error.is_retryable() => reapplied.add_failed(keyspace, subject, error),
                // Its key is deleted, and still stands in a log of the database that somebody reads: no reason to let the others' be.
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

    /// Whether a log and a store belong together: one that was restored knows some of those in it.
    async fn check_known(&self, mut lines: impl Iterator<Item = &(String, String)>) -> Result<(), Error> {
        let Some((keyspace, first)) = lines.next().filter(|_| !self.unknown_too) else { return Ok(()) };
        let mut stored = self.stored(keyspace, first).await;
        for (keyspace, subject) in lines {
            if !matches!(stored, Ok(StoredSubject::Absent)) {
                return Ok(());
            }
            stored = self.stored(keyspace, subject).await;
        }
        // What cannot be read is known to be there.
        if matches!(stored, Ok(StoredSubject::Absent)) {
            Err(ErrorKind::SubjectMissing.because(OTHER_LOG))
        } else {
            Ok(())
        }
    }

    /// What is stored of a subject that is known, also by a hold alone, or is meant.
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

    /// How many subject keys are wrapped under which DEK. A DEK under which one is must not be destroyed.
    ///
    /// # Errors
    ///
    /// `invalid-subject-key` where one is damaged, which may be under any: [`rewrap`](Self::rewrap) says of whom. Those of the store.
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

    /// The subjects whose key is wrapped under this DEK: those that are exposed when it is compromised, to whoever also has a copy
    /// of the store. One whose key is damaged may be under any, and is among them; [`rewrap`](Self::rewrap) tells of it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn under(&self, keyspace: &str, key_id: KeyId) -> Result<Vec<String>, Error> {
        let mut subjects = Vec::new();
        let mut pages = Pages::of(&*self.store, keyspace);
        while let Some(page) = pages.next().await? {
            let under = page.into_iter().filter(|(_, stored)| whole(stored).map_or(true, |key| key.key_id() == key_id));
            subjects.extend(under.map(|(subject, _)| subject));
        }
        Ok(subjects)
    }

    /// Wraps every subject key that is under another DEK under the primary. Safe to interrupt and to repeat, and beside running
    /// services; one that still has the old keyring makes keys under the old DEK, so repeat it when none has it any more. Keys under a compromised DEK are left and listed: see [`rewrap_compromised`](Self::rewrap_compromised). Those under a
    /// DEK that is pre-active in `keys` are left: whoever has a newer keyring put them there.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn rewrap(&self, keys: &Keyring) -> Result<RewrapReport, Error> {
        self.rewrap_by(keys, |subject, wrapped| keys.rewrap_subject_key(subject, wrapped)).await
    }

    /// As [`rewrap`](Self::rewrap), and also those under a compromised DEK, whose holder could have put keys of their own there: trust
    /// the store for that, or compare with a backup from before. See [`Keyring::rewrap_subject_key_compromised`].
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
                    // Rewrapped or shredded by somebody else meanwhile.
                    Err(error) if error.is_conflict() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(report)
    }

    /// What was stored before, and when it was shredded.
    async fn destroy(&self, keyspace: &str, subject: &str, at: u64) -> Result<(StoredSubject, u64), Error> {
        let before = self.stored(keyspace, subject).await?;
        Ok((before, self.store.shred(keyspace, subject, at).await?))
    }

    /// Told to the observer. Times count from now, when no one can read the key from the store any more.
    fn receipt(&self, keyspace: &str, subject: &str, at: u64, was_known: bool, log: &ShredLog) -> ShredReceipt {
        let receipt = ShredReceipt::new(keyspace, subject, at, was_known).complete(
            self.clock.unix_now(),
            HELD_AT_MOST,
            log.backups_kept(),
        );
        if let Some(observer) = &self.observer {
            observer.key_event(&KeyEvent::Shredded { keyspace, subject, complete_at: receipt.complete_at() });
        }
        receipt
    }

    /// Repeated where somebody else changed it in between, so that both changes are there in the end.
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
