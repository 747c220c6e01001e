//! What a thief has in the theft drill: a KEK, or one key of a keyring and no other. All of it is in memory only.

use std::sync::{Arc, Mutex, PoisonError};

use rxseal::keys::{KeyState, KeyUse, KeyringAdmin, KeyringFile, UnlockOptions, Unlocked};
use rxseal::observe::{Observer, OpenEvent, Opening};
use rxseal::provider::{Kek, KekContext, ProviderFuture, fill_random};
use rxseal::root::{RootKey, RootKeys};
use rxseal::store::{KeyringStore as _, MemoryStore};
use rxseal::{Error, KeyId, Keyring};
use rxseal_watch::WatchObserver;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::root::trusted;

/// Unlocks a keyring with the real root keys, and takes its KEK.
pub async fn take_kek(ring: &KeyringFile, roots: &[Arc<dyn RootKey>]) -> Result<(Unlocked, StolenKek), Failure> {
    let watched: Vec<_> = roots.iter().map(|root| Arc::new(Watched::new(Arc::clone(root)))).collect();
    let as_roots = watched.iter().cloned().map(|root| -> Arc<dyn RootKey> { root }).collect();
    let unlocked = Keyring::unlock(ring.keyspace(), &trusted(as_roots)?, ring).await?;
    // The last one that was asked unlocked it.
    let taken = watched.iter().rev().find_map(|root| root.taken());
    let kek = taken.ok_or_else(|| Failure::Coded("unlock-failed", "no root key gave its KEK".to_owned()))?;
    Ok((unlocked, kek))
}

/// A keyring with this key and no other of the real ones, as a thief of the key would have it.
pub async fn only(ring: &KeyringFile, kek: StolenKek, key: KeyId) -> Result<Unlocked, Error> {
    let (keyspace, store, roots) = (ring.keyspace(), MemoryStore::default(), RootKeys::from(kek));
    store.put(ring, None).await?;
    let options = UnlockOptions::default().clock_is_right(true);
    let admin = KeyringAdmin::new(store, roots.clone()).options(options);
    let is_other = |info: &&rxseal::keys::KeyInfo| info.usage() == KeyUse::Seal && info.id() != key;
    for staged in ring.keys().iter().filter(is_other).filter(|info| info.state() == KeyState::PreActive) {
        admin.force_destroy(keyspace, staged.id()).await?;
    }
    let (rotated, made) = admin.rotate(keyspace).await?;
    let is_there = |info: &&rxseal::keys::KeyInfo| info.id() != made && info.state() != KeyState::Destroyed;
    for other in rotated.keys().iter().filter(is_other).filter(is_there) {
        admin.force_destroy(keyspace, other.id()).await?;
    }
    Keyring::unlock(keyspace, &roots, &admin.stored(keyspace).await?).await
}

/// A keyring with all of its keys, as a thief of the KEK would have it.
pub async fn all(ring: &KeyringFile, kek: StolenKek) -> Result<Unlocked, Error> {
    Keyring::unlock(ring.keyspace(), &RootKeys::from(kek), ring).await
}

/// Whether a keyring without a root key of its own unlocks: with a key that somebody guessed.
pub async fn unlocks_for_a_stranger(ring: &KeyringFile) -> Result<bool, Failure> {
    let Some(wrap) = ring.wraps().next() else { return Ok(false) };
    let mut guess = Zeroizing::new([0; 32]);
    fill_random(&mut *guess)?;
    let stranger =
        StolenKek { provider: wrap.provider().into(), name: wrap.root_key().into(), kek: Kek::from_bytes(&*guess)? };
    Ok(Keyring::unlock(ring.keyspace(), &RootKeys::from(stranger), ring).await.is_ok())
}

/// A keyring of a thief: the log hears of what it opens, and of no unlocking that a key service would know.
pub fn watched_openings(unlocked: Unlocked, log: Option<WatchObserver>) -> Keyring {
    match log {
        Some(log) => unlocked.observed_by(OpeningsOnly(log)),
        None => unlocked.unobserved(),
    }
}

/// A KEK that was taken: it takes the place of the root key that wrapped it.
pub struct StolenKek {
    provider: Box<str>,
    name: Box<str>,
    kek: Kek,
}

impl StolenKek {
    /// Another copy of it.
    pub fn again(&self) -> Result<Self, Error> {
        let kek = Kek::from_bytes(self.kek.expose_bytes())?;
        Ok(Self { provider: self.provider.clone(), name: self.name.clone(), kek })
    }
}

impl RootKey for StolenKek {
    fn provider(&self) -> &str {
        &self.provider
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wrap_kek<'a>(&'a self, _: &'a Kek, _: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(async { Err(Error::from_provider(false, "a KEK that was taken wraps nothing")) })
    }

    fn unwrap_kek<'a>(&'a self, _: &'a [u8], _: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move { Kek::from_bytes(self.kek.expose_bytes()) })
    }
}

/// A root key whose answer is taken.
struct Watched {
    root: Arc<dyn RootKey>,
    answer: Mutex<Option<Kek>>,
}

impl Watched {
    fn new(root: Arc<dyn RootKey>) -> Self {
        Self { root, answer: Mutex::new(None) }
    }

    fn taken(&self) -> Option<StolenKek> {
        let kek = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(StolenKek { provider: self.root.provider().into(), name: self.root.name().into(), kek })
    }
}

impl RootKey for Watched {
    fn provider(&self) -> &str {
        self.root.provider()
    }

    fn name(&self) -> &str {
        self.root.name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        self.root.wrap_kek(kek, context)
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move {
            let kek = self.root.unwrap_kek(wrapped, context).await?;
            let copy = Kek::from_bytes(kek.expose_bytes())?;
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
            Ok(kek)
        })
    }
}

/// Hears of openings, and of no keys.
struct OpeningsOnly(WatchObserver);

impl Observer for OpeningsOnly {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        self.0.before_open(opening)
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        self.0.opened(event)
    }
}
