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

/// Holds the unlocked keyrings of many keyspaces (tenants, pharmacies), and looks for newer generations in the background.
///
/// The first use of a keyspace reads its keyring from the store and unlocks it, with one call of a root key however many callers
/// wait; from then on there is none. A keyring is looked up again in the store after half of the
/// [`max_staleness`](KeyringManagerBuilder::max_staleness), while callers go on with the one they have, and unlocked again only where
/// the store has another file. Cheap to clone.
///
/// It needs a tokio runtime with timers, and one that is driven all the time: an attempt runs in the runtime of whoever asked for it,
/// and there is never a second one beside it. One that did not end after two minutes, because nobody drives its runtime any more or
/// because a store hangs, counts as an outage until it ends: the observer hears of it, callers go on for the
/// [`grace`](KeyringManagerBuilder::grace) without waiting, and get `store-unavailable` after it. So give it to a server's runtime, not
/// to one that runs for a moment now and then.
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

    /// The unlocked keyring of `keyspace`. Take it anew for each request, and once, not for each field.
    ///
    /// **It is a snapshot, as is every [`Sealer`](crate::Sealer), [`Opener`](crate::Opener) and [`Record`](crate::Record) made from
    /// it: none of them ever sees a refresh.** Keep none of them in the state of an application, nor longer than a request takes: a
    /// service that does goes on sealing under the old key after `stage`, `promote` and `destroy`, for as long as it runs, and what
    /// is sealed under a destroyed key is lost. Keep the `KeyringManager` instead. To ask it costs two short locks and no call, once the
    /// keyring is unlocked: measured at 0.2 to 0.5 microseconds on one thread, with up to 1,000 keyspaces.
    ///
    /// # Errors
    ///
    /// `invalid-id`, `keyring-missing`, `keyring-too-old` where the store has an older generation than was seen here, or one
    /// that was not made from it (a backup that was restored, and changed after that): it lacks a key, has one in an earlier state, or
    /// has other content under the same number; and those of
    /// [`Keyring::unlock`] and of the store. All who wait for one attempt get its error, and for a second whoever asks
    /// anew, so that an outage is not answered by a storm.
    pub async fn keyring(&self, keyspace: &str) -> Result<Keyring, Error> {
        let slot = self.0.slots.slot(&Name::parse("keyspace", keyspace)?);
        slot.keyring(&self.0.refresher).await
    }

    /// As [`keyring`](Self::keyring), for a token of the key `key_id`: where the keyring does not have that key, the store is asked
    /// once for a newer generation; but not where it was asked in the last five seconds, for whatever reason: the look-ups of
    /// `keyring` count too. So a key that is newer than the last look-up may stay unknown for five seconds. Where the key is not
    /// found, this gives the keyring without it, and opening says `unknown-key`.
    ///
    /// # Errors
    ///
    /// As [`keyring`](Self::keyring).
    pub async fn keyring_with(&self, keyspace: &str, key_id: KeyId) -> Result<Keyring, Error> {
        let slot = self.0.slots.slot(&Name::parse("keyspace", keyspace)?);
        slot.keyring_with(&self.0.refresher, key_id).await
    }

    /// Lets a keyring go. Its keys are wiped when the last record and handle made from it are gone.
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
