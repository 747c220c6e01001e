//! An unlocked keyring.

mod create;
mod opened;
mod seen;
mod share;
mod unlock;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use create::create;
pub(crate) use opened::{Opened, uncounted};
pub(crate) use seen::{Newest, Seen};
pub(crate) use share::{KeyringShare, KeyringShares, Shared};
pub(crate) use unlock::check_root;
pub use unlock::{UnlockOptions, Unlocked};

use crate::error::Error;
use crate::id::{FieldId, Identifier, KeyId};
use crate::key::{KeyInfo, Keys, SubjectKey, WrappedSubjectKey};
use crate::read_through::ReadThrough;
use crate::token::Token;

/// With its default settings, how long a `KeyringManager` uses a keyring without looking for a newer one, and how much longer in an
/// outage. Whoever destroys a key waits for both.
pub(crate) const MAX_STALENESS: Duration = Duration::from_secs(300);
pub(crate) const GRACE: Duration = Duration::from_secs(3600);

/// The unlocked keys of one keyspace: a handle, `Clone`, `Send` and `Sync`. Its keys never change.
///
/// [`unlock_or_create_local`](Self::unlock_or_create_local) makes or unlocks one whose files are on this machine (Unix), and
/// [`unlock`](Self::unlock) unlocks any other. [`record`](Self::record) begins all sealing and opening.
///
/// A clone is another handle to the same keys: it costs a reference count and copies no key.
///
/// Unlocking costs one call of a root key; afterwards sealing and opening are pure CPU work. Keys are wiped when
/// it and the last record or handle made from it are gone.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::phi::Drug;
/// use rxseal::{Access, Purpose};
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let rec = keys.record("prescription", "RX-1001")?;
/// let token = rec.seal::<Drug>("lisinopril 10 MG Oral Tablet")?;
///
/// let access = Access::new("user:kim.rph", Purpose::TREAT)?;
/// let drug: String = rec.opened_by(&access).open::<Drug, _>(&token)?;
/// assert_eq!(drug, "lisinopril 10 MG Oral Tablet");
///
/// let other = keys.record("prescription", "RX-1002")?;
/// assert!(other.opened_by(&access).open::<Drug, String>(&token).unwrap_err().is_open_failure());
/// # Ok(())
/// # }
/// ```
// Where its other methods are: unlocking in `keyring/unlock.rs`, the first generation in `keyring/create.rs`, the local start in
// `local_start.rs`, `record` and `unbound` in `record.rs`, `sealer` and `opener` in `handles.rs`, `read_through` in `migrating.rs`.
#[derive(Clone)]
pub struct Keyring(Arc<KeyringShares>);

impl Keyring {
    pub(crate) fn shares(&self) -> &Arc<KeyringShares> {
        &self.0
    }

    pub(crate) fn with_permit(&self, field: FieldId, permit: &ReadThrough) -> Self {
        Self(self.0.with_permit(field, permit))
    }

    /// Whether it has this key, in any state.
    #[cfg(feature = "keyring-manager")]
    pub(crate) fn knows(&self, key_id: KeyId) -> bool {
        self.keys_held().knows(key_id)
    }

    fn keys_held(&self) -> &Keys {
        &self.0.shared().keys
    }

    /// The keyspace.
    #[must_use]
    pub fn keyspace(&self) -> &str {
        self.keys_held().keyspace().as_str()
    }

    /// The generation of the keyring file that it was unlocked from.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.keys_held().generation()
    }

    /// The public description of its keys, in ascending order of their ids.
    #[must_use]
    pub fn keys(&self) -> &[KeyInfo] {
        self.keys_held().infos()
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn primary_key(&self) -> KeyId {
        self.keys_held().primary().id
    }

    /// Whether `token` should be resealed, because its key is not the primary.
    ///
    /// # Errors
    ///
    /// `unknown-key` if the keyring does not have the token's key.
    pub fn needs_reseal(&self, token: &Token) -> Result<bool, Error> {
        let dek = self.keys_held().find(token.key_id())?;
        Ok(dek.id != self.keys_held().primary().id)
    }

    /// Makes the key of a new subject, and its wrapped form for the store.
    ///
    /// Store it insert-if-absent, and use the key that the store then has, because two programs may meet the same patient at once.
    ///
    /// # Errors
    ///
    /// `invalid-id`, `random-failed`.
    pub fn create_subject_key<'a>(
        &self,
        subject: impl Into<Identifier<'a>>,
    ) -> Result<(SubjectKey, WrappedSubjectKey), Error> {
        SubjectKey::generate(self.keys_held(), &subject.into())
    }

    /// Unwraps the stored key of a subject.
    ///
    /// # Errors
    ///
    /// `subject-key-refused` if the key was changed, or is of another subject or keyspace; `unknown-key`, `key-compromised`,
    /// `key-destroyed`, `invalid-id`.
    pub fn unwrap_subject_key<'a>(
        &self,
        subject: impl Into<Identifier<'a>>,
        wrapped: &WrappedSubjectKey,
    ) -> Result<SubjectKey, Error> {
        SubjectKey::unwrap_subject_key(self.keys_held(), &subject.into(), wrapped)
    }

    /// Wraps the same subject key under the primary DEK. Store the result in place of `wrapped`.
    ///
    /// Do not destroy a DEK while subject keys are wrapped under it: their patients' fields would be lost.
    ///
    /// # Errors
    ///
    /// Those of [`unwrap_subject_key`](Self::unwrap_subject_key).
    pub fn rewrap_subject_key<'a>(
        &self,
        subject: impl Into<Identifier<'a>>,
        wrapped: &WrappedSubjectKey,
    ) -> Result<WrappedSubjectKey, Error> {
        SubjectKey::rewrap_subject_key(self.keys_held(), &subject.into(), wrapped)
    }

    /// The same as [`rewrap_subject_key`](Self::rewrap_subject_key), but for a DEK that is marked compromised. Whoever holds that DEK
    /// could have made the wrapped key, and would then know the patient's second factor. So compare it with a backup first.
    ///
    /// # Errors
    ///
    /// Those of [`unwrap_subject_key`](Self::unwrap_subject_key), except `key-compromised`.
    pub fn rewrap_subject_key_compromised<'a>(
        &self,
        subject: impl Into<Identifier<'a>>,
        wrapped: &WrappedSubjectKey,
    ) -> Result<WrappedSubjectKey, Error> {
        let rewrapped = SubjectKey::rewrap_compromised(self.keys_held(), &subject.into(), wrapped)?;
        self.0.shared().tell_compromised(wrapped.key_id());
        Ok(rewrapped)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("keyspace", &self.keyspace())
            .field("generation", &self.generation())
            .field("keys", &self.keys().len())
            .finish_non_exhaustive()
    }
}
