//! The unlocked keyrings of many keyspaces, kept up to date.

mod builder;
mod slot;
mod slots;

use std::fmt;
use std::sync::Arc;

pub use builder::KeyringManagerBuilder;

use crate::error::Error;
use crate::id::{KeyId, Name};
use crate::keyring::{Keyring, Seen};
use crate::root_key::RootKeys;
use crate::store::KeyringStore;

use slot::{Refresher, Settings};
use slots::Slots;

/// Holds the unlocked keyrings of many keyspaces (tenants, pharmacies), and looks for newer generations in the background. It is cheap to
/// clone.
///
/// The first use of a keyspace reads its keyring from the store and unlocks it. This takes one call of a root key, however many callers
/// wait. After half of the [`max_staleness`](KeyringManagerBuilder::max_staleness) it looks the keyring up in the store again, while
/// callers go on with the one they have. It unlocks again only if the store has another file.
///
/// It needs a tokio runtime with timers that is driven all the time. An attempt to read and unlock runs in the runtime of the caller that
/// started it, and there is only one attempt at a time. If an attempt does not end within two minutes, because nobody drives its runtime any
/// more or a store hangs, it counts as an outage until it ends. The observer is told, and callers go on without waiting for the
/// [`grace`](KeyringManagerBuilder::grace); after that they get `store-unavailable`. So use a server's runtime, not one that runs only now and
/// then.
///
/// ```no_run
/// # async fn serve() -> Result<(), rxseal::Error> {
/// use rxseal::keys::KeyringManager;
/// use rxseal::root::{RootKeyFile, RootKeys};
/// use rxseal::store::FileStore;
/// let roots = RootKeys::from(RootKeyFile::new("/etc/pharmacy/root.key").load()?);
/// let manager = KeyringManager::builder(FileStore::new("/var/lib/pharmacy/keyrings"), roots).unobserved();
///
/// // In a request: no call of the store or of a root key, once it is unlocked.
/// let keys = manager.keyring("pharmacy-17").await?;
/// let rec = keys.record("prescription", "RX-1001")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeyringManager(Arc<Inner>);

struct Inner {
    refresher: Arc<Refresher>,
    slots: Slots,
}

impl KeyringManager {
    fn new(store: Arc<dyn KeyringStore>, roots: RootKeys, settings: Settings) -> Self {
        let slots = Slots::new(settings.capacity);
        Self(Arc::new(Inner {
            refresher: Arc::new(Refresher { store, roots, settings, seen: Seen::default() }),
            slots,
        }))
    }

    /// The unlocked keyring of `keyspace`. Ask for it once per request, not once per field.
    ///
    /// **It is a snapshot, and so is every [`Sealer`](crate::Sealer), [`Opener`](crate::Opener) and [`Record`](crate::Record) made from
    /// it: none of them ever sees a refresh.** Do not keep them in an application's state, or for longer than a request. Otherwise the
    /// service goes on sealing under the old key after `stage`, `promote` and `destroy`, and what it seals under a destroyed key is lost.
    /// Keep the `KeyringManager` instead. Once the keyring is unlocked, asking costs two short locks and no call: 0.2 to 0.5 microseconds
    /// on one thread, measured with up to 1,000 keyspaces.
    ///
    /// # Errors
    ///
    /// `invalid-id`. `keyring-missing`. `keyring-too-old` if the store has an older generation than was seen here, or
    /// one that was not made from it: an older backup was restored and then changed, so it lacks a key, has one in an
    /// earlier state, or has other content under the same number. Also the errors of [`Keyring::unlock`] and of the
    /// store. All callers that wait for one attempt get its error, and so does every caller in the second after it, so
    /// that an outage does not cause a storm of calls.
    pub async fn keyring(&self, keyspace: &str) -> Result<Keyring, Error> {
        let slot = self.0.slots.slot(&Name::parse("keyspace", keyspace)?);
        slot.keyring(&self.0.refresher).await
    }

    /// The same as [`keyring`](Self::keyring), for a token under the key `key_id`. If the keyring does not have that key, the store is asked
    /// once for a newer generation, unless it was asked in the last five seconds for any reason, which includes the look-ups of `keyring`.
    /// So a key that is newer than the last look-up may stay unknown for five seconds. If the key is not found, this returns the keyring
    /// without it, and opening gives `unknown-key`.
    ///
    /// # Errors
    ///
    /// The same as for [`keyring`](Self::keyring).
    pub async fn keyring_with(&self, keyspace: &str, key_id: KeyId) -> Result<Keyring, Error> {
        let slot = self.0.slots.slot(&Name::parse("keyspace", keyspace)?);
        slot.keyring_with(&self.0.refresher, key_id).await
    }

    /// Drops the held keyring. Its keys are wiped when the last record and handle made from it are gone.
    pub fn forget(&self, keyspace: &str) {
        self.0.slots.forget(keyspace);
    }

    /// How many keyrings are unlocked.
    #[must_use]
    pub fn unlocked(&self) -> usize {
        self.0.slots.unlocked()
    }
}

impl fmt::Debug for KeyringManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringManager").field("unlocked", &self.unlocked()).finish_non_exhaustive()
    }
}
