//! Unlocking a keyring file with a root key (FORMAT 8.5).

use std::fmt;

use super::{Keyring, KeyringShares, Shared};
use crate::backend::Backend;
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::id::{KeyId, Name};
use crate::key::{BodyKey, KeyState, KeyringFile, Keys, fingerprint, open_body};
use crate::observe::{KeyEvent, Observer};
use crate::root_key::{Kek, KekContext, RootKey, RootKeys};

/// Conditions for unlocking a keyring, and the backend that computes with it.
///
/// A keyring file proves that it is *a* genuine generation, not the latest one. A program that remembers the latest generation
/// that it saw can refuse an older one.
///
/// ```
/// let options = rxseal::keys::UnlockOptions::default().min_generation(7);
/// ```
#[derive(Clone, Debug, Default)]
pub struct UnlockOptions {
    min_generation: u64,
    pin: Option<[u8; 32]>,
    pub(super) clock_is_right: bool,
    with_index_roots: bool,
    pub(super) backend: Backend,
}

impl UnlockOptions {
    /// Refuses a file of a generation below this one.
    #[must_use]
    pub fn min_generation(mut self, generation: u64) -> Self {
        self.min_generation = generation;
        self
    }

    /// Refuses a keyring that does not contain the key with this full fingerprint (see
    /// [`KeyInfo::fingerprint`](crate::keys::KeyInfo::fingerprint)).
    #[must_use]
    pub fn pin(mut self, fingerprint: [u8; 32]) -> Self {
        self.pin = Some(fingerprint);
        self
    }

    /// Says that this machine's clock is right, although the keyring has a time in its future (`clock-skew`): another machine with a
    /// wrong clock wrote that time. Changes then ignore times in the future. If the time of the key itself is in the future, only a wait of
    /// zero is accepted for it.
    #[must_use]
    pub fn clock_is_right(mut self, is_right: bool) -> Self {
        self.clock_is_right = is_right;
        self
    }

    /// Keeps the index roots in memory, for a program that searches or writes index values. Without this, unlocking wipes them. Whoever
    /// has an index root can guess every value that is indexed under it, so a program that only seals and opens should not have one.
    ///
    /// Changes of a keyring carry index roots over, whether this is said or not.
    ///
    /// ```
    /// let options = rxseal::keys::UnlockOptions::default().with_index_roots();
    /// ```
    #[must_use]
    pub fn with_index_roots(mut self) -> Self {
        self.with_index_roots = true;
        self
    }

    /// Computes with this implementation of the primitives. The bytes that are written do not depend on it.
    ///
    /// If it has no memory for a key, or its self-test failed, sealing and opening fail with `backend-failed`. Root keys on this machine
    /// and new keyrings use the default one.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Refuses a keyring that is yet to be made, if its first generation could not be unlocked with these conditions.
    #[cfg(unix)]
    pub(crate) fn check_new(&self) -> Result<(), Error> {
        match self.pin {
            _ if self.min_generation > 1 => Err(ErrorKind::KeyringTooOld.into()),
            Some(_) => Err(ErrorKind::PinMismatch.into()),
            None => Ok(()),
        }
    }
}

/// An unlocked keyring that is not yet a [`Keyring`]: say first whether an observer is told of its openings, with
/// [`observed_by`](Self::observed_by) or [`unobserved`](Self::unobserved).
#[must_use = "say `.observed_by(..)` or `.unobserved()`"]
pub struct Unlocked {
    keys: Keys,
    report: UnlockReport,
}

/// How a keyring was unlocked, for an observer.
#[derive(Default)]
pub(crate) struct UnlockReport {
    unlocked_by: UnlockedBy,
    failed: Vec<RootFailure>,
}

/// The root key that unlocked a keyring.
#[derive(Default)]
pub(super) struct UnlockedBy {
    provider: String,
    root_key: String,
    request_id: Option<Box<str>>,
}

impl UnlockedBy {
    fn of(root: &dyn RootKey, kek: &Kek) -> Self {
        let (provider, root_key) = (root.provider().to_owned(), root.name().to_owned());
        Self { provider, root_key, request_id: kek.request_id().map(Into::into) }
    }

    pub(super) fn tell(&self, keyspace: &str, generation: u64, key_ids: &[KeyId], observer: &dyn Observer) {
        let (provider, root_key, request_id) = (&self.provider, &self.root_key, self.request_id.as_deref());
        observer.key_event(&KeyEvent::Unlocked { keyspace, generation, provider, root_key, key_ids, request_id });
    }
}

/// A root key that failed to unlock a keyring.
pub(crate) struct RootFailure {
    provider: String,
    root_key: String,
    code: ErrorCode,
    reason: String,
}

impl RootFailure {
    fn new(root: &dyn RootKey, error: &Error) -> Self {
        let (provider, root_key) = (root.provider().to_owned(), root.name().to_owned());
        Self { provider, root_key, code: error.code(), reason: error.with_cause() }
    }

    pub(crate) fn tell(&self, keyspace: &str, observer: &dyn Observer) {
        observer.key_event(&KeyEvent::RootKeyFailed {
            keyspace,
            provider: &self.provider,
            root_key: &self.root_key,
            code: self.code,
            reason: &self.reason,
        });
    }
}

impl Unlocked {
    /// A keyring that tells `observer` of every opening, and first of how it was unlocked.
    #[must_use]
    pub fn observed_by(self, observer: impl Observer + 'static) -> Keyring {
        let keyspace = self.keys.keyspace().as_str();
        for failure in &self.report.failed {
            failure.tell(keyspace, &observer);
        }
        self.report.unlocked_by.tell(keyspace, self.keys.generation(), &self.keys.held(), &observer);
        Keyring(KeyringShares::new(Shared { keys: self.keys, observer: Some(Box::new(observer)) }))
    }

    /// A keyring without an observer: nobody is told of its openings.
    #[must_use]
    pub fn unobserved(self) -> Keyring {
        Keyring(KeyringShares::new(Shared { keys: self.keys, observer: None }))
    }
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlocked").field("keyspace", &self.keys.keyspace().as_str()).finish_non_exhaustive()
    }
}

impl Keyring {
    /// Unlocks a stored keyring, with one call of a root key and none afterwards.
    ///
    /// The caller says which keyspace it wants and which root keys it trusts. The names in the file only select among these. They are
    /// tried in their order, each once, until one of them yields a KEK that opens the body.
    ///
    /// # Errors
    ///
    /// `keyring-mismatch` if the file is of another keyspace, `unlock-failed` if no trusted root key unlocks it, and
    /// `provider-unavailable` ([`Error::is_retryable`]) if one could not be asked.
    pub async fn unlock(keyspace: &str, roots: &RootKeys, stored: &KeyringFile) -> Result<Unlocked, Error> {
        Self::unlock_with(UnlockOptions::default(), keyspace, roots, stored).await
    }

    /// The same as [`unlock`](Self::unlock), with index roots, a minimum generation, a pinned key or another backend.
    ///
    /// # Errors
    ///
    /// Also `keyring-too-old`, `pin-mismatch` and `backend-failed`.
    pub async fn unlock_with(
        options: UnlockOptions,
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
    ) -> Result<Unlocked, Error> {
        Self::unlock_reporting(&options, keyspace, roots, stored, &mut Vec::new()).await
    }

    /// The same as `unlock_with`. `failed` gets the root keys that failed.
    pub(crate) async fn unlock_reporting(
        options: &UnlockOptions,
        keyspace: &str,
        roots: &RootKeys,
        stored: &KeyringFile,
        failed: &mut Vec<RootFailure>,
    ) -> Result<Unlocked, Error> {
        let opened = open_file(options, keyspace, roots, stored, failed).await?;
        let keys = Keys::new(options.backend, stored, opened.body, options.with_index_roots)?;
        Ok(Unlocked { keys, report: UnlockReport { unlocked_by: opened.unlocked_by, failed: std::mem::take(failed) } })
    }
}

/// The KEK and the keys of a file, all verified.
pub(super) struct OpenedFile {
    pub(super) kek: Kek,
    pub(super) body: Vec<BodyKey>,
    pub(super) unlocked_by: UnlockedBy,
}

pub(super) async fn open_file(
    options: &UnlockOptions,
    keyspace: &str,
    roots: &RootKeys,
    stored: &KeyringFile,
    failed: &mut Vec<RootFailure>,
) -> Result<OpenedFile, Error> {
    check_file(options, keyspace, stored)?;
    let mut failure = foreign(roots, stored);
    for root in roots.iter() {
        let Some(wrap) = stored.wraps.iter().find(|wrap| wrap.is_of(root.provider(), root.name())) else {
            continue;
        };
        match try_root(options.backend, root, &wrap.wrapped, stored).await {
            Ok((kek, body)) => {
                check_pin(options, stored)?;
                let unlocked_by = UnlockedBy::of(root, &kek);
                return Ok(OpenedFile { kek, body, unlocked_by });
            }
            Err(error) => {
                failed.push(RootFailure::new(root, &error));
                // What may succeed later is worth more to the caller than what was refused for good.
                if !failure.is_retryable() {
                    failure = error;
                }
            }
        }
    }
    Err(failure)
}

/// With both sides by name: which of them is the wrong one is not known here.
fn foreign(roots: &RootKeys, stored: &KeyringFile) -> Error {
    let wraps: Vec<_> = stored.wraps().map(|wrap| format!("{} {}", wrap.provider(), wrap.root_key())).collect();
    let trusted: Vec<_> = roots.iter().map(|root| format!("{} {}", root.provider(), root.name())).collect();
    let names = format!("wrapped by {}; trusted here: {}", wraps.join(", "), trusted.join(", "));
    Error::from(ErrorKind::RootKeyForeign).caused_by(names)
}

/// Whether this root key alone unlocks the file. `observer` hears that it did, and that the keys are gone again.
pub(crate) async fn check_root(
    options: &UnlockOptions,
    keyspace: &str,
    root: &dyn RootKey,
    stored: &KeyringFile,
    observer: Option<&dyn Observer>,
) -> Result<(), Error> {
    check_file(options, keyspace, stored)?;
    let wrap = stored.wraps.iter().find(|wrap| wrap.is_of(root.provider(), root.name()));
    let wrap = wrap.ok_or(ErrorKind::RootKeyForeign)?;
    let (kek, body) = try_root(options.backend, root, &wrap.wrapped, stored).await?;
    let (unlocked_by, key_ids) = (UnlockedBy::of(root, &kek), ids(&body));
    drop((kek, body));
    if let Some(observer) = observer {
        let generation = stored.generation();
        unlocked_by.tell(keyspace, generation, &key_ids, observer);
        observer.key_event(&KeyEvent::Locked { keyspace, generation });
    }
    check_pin(options, stored)
}

/// The ids of the keys in a body.
pub(super) fn ids(body: &[BodyKey]) -> Vec<KeyId> {
    body.iter().map(BodyKey::id).collect()
}

async fn try_root(
    backend: Backend,
    root: &dyn RootKey,
    wrapped: &[u8],
    stored: &KeyringFile,
) -> Result<(Kek, Vec<BodyKey>), Error> {
    let context = KekContext { keyspace: stored.keyspace(), fingerprint: &stored.kek_fingerprint };
    let kek = root.unwrap_kek(wrapped, context).await.map_err(|error| match error.kind() {
        // A local root key's own failure says no more than that.
        ErrorKind::OpenFailed => ErrorKind::UnlockFailed.into(),
        _ => error,
    })?;
    // FORMAT 3.4: an emulator of a cloud KMS was seen to hand out wrong keys.
    let genuine =
        !kek.secret().is_zero() && fingerprint(backend, kek.secret(), stored.keyspace())? == stored.kek_fingerprint;
    if !genuine {
        return Err(ErrorKind::UnlockFailed.into());
    }
    let body = open_body(backend, stored, &kek).map_err(|error| match error.kind() {
        ErrorKind::BackendFailed => error,
        _ => ErrorKind::UnlockFailed.into(),
    })?;
    Ok((kek, body))
}

/// What can be refused before a root key is asked.
fn check_file(options: &UnlockOptions, keyspace: &str, stored: &KeyringFile) -> Result<(), Error> {
    Name::check("keyspace", keyspace)?;
    if stored.keyspace() != keyspace {
        return Err(ErrorKind::KeyringMismatch.into());
    }
    if stored.generation() < options.min_generation {
        return Err(ErrorKind::KeyringTooOld.into());
    }
    Ok(())
}

fn check_pin(options: &UnlockOptions, stored: &KeyringFile) -> Result<(), Error> {
    match options.pin {
        Some(pin) if !stored.keys.iter().any(|key| key.fingerprint == pin && key.state != KeyState::Destroyed) => {
            Err(ErrorKind::PinMismatch.into())
        }
        _ => Ok(()),
    }
}
