//! Root keys and stores that count, wait and fail on command.
#![allow(dead_code)]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::observe::{KeyEvent, Observer, OpenEvent};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::RootKey;
use rxseal::store::{KeyringStore, MemoryStore, StoreFuture};

pub const TENANT: &str = "pharmacy-17";

/// What a root key or store does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Works,
    Unavailable,
    Refuses,
    /// Gives another key than the wrapped one, or does what it was told and says that it could not.
    Lies,
    Panics,
}

/// A root key in this process, which stands for one in a KMS.
#[derive(Clone)]
pub struct TestRoot(Arc<Inner>);

struct Inner {
    name: String,
    mode: Mutex<Mode>,
    delay: Mutex<Duration>,
    wraps: AtomicUsize,
    unwraps: AtomicUsize,
}

impl TestRoot {
    pub fn new(name: &str) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            mode: Mutex::new(Mode::Works),
            delay: Mutex::new(Duration::ZERO),
            wraps: AtomicUsize::new(0),
            unwraps: AtomicUsize::new(0),
        }))
    }

    pub fn set(&self, mode: Mode) {
        *self.0.mode.lock().unwrap() = mode;
    }

    pub fn set_delay(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    pub fn unwraps(&self) -> usize {
        self.0.unwraps.load(SeqCst)
    }

    fn mode(&self) -> Mode {
        *self.0.mode.lock().unwrap()
    }

    async fn wait(&self) {
        let delay = *self.0.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Not a cipher: the bytes turned over, and what they are bound to.
    fn turned(&self, bytes: &[u8], context: KekContext<'_>) -> Vec<u8> {
        let bound = context.associated_data();
        bytes.iter().zip(bound.iter().rev().cycle()).map(|(byte, bound)| byte ^ bound ^ 0x5A).collect()
    }
}

impl RootKey for TestRoot {
    fn provider(&self) -> &str {
        "test"
    }

    fn name(&self) -> &str {
        &self.0.name
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(async move {
            self.0.wraps.fetch_add(1, SeqCst);
            self.wait().await;
            match self.mode() {
                Mode::Works | Mode::Lies => Ok(self.turned(kek.expose_bytes(), context)),
                Mode::Unavailable => Err(Error::from_provider(true, "timeout")),
                Mode::Refuses => Err(Error::from_provider(false, "denied: grant encrypt")),
                Mode::Panics => panic!("on command"),
            }
        })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move {
            self.0.unwraps.fetch_add(1, SeqCst);
            self.wait().await;
            match self.mode() {
                Mode::Works => Kek::from_bytes(&self.turned(wrapped, context)),
                Mode::Lies => Kek::from_bytes(&[7; 32]),
                Mode::Unavailable => Err(Error::from_provider(true, "timeout")),
                Mode::Refuses => Err(Error::from_provider(false, "denied: grant decrypt")),
                Mode::Panics => panic!("on command"),
            }
        })
    }
}

/// A store in memory that counts and fails on command.
#[derive(Clone, Default)]
pub struct TestStore(Arc<StoreInner>);

#[derive(Default)]
struct StoreInner {
    files: MemoryStore,
    mode: Mutex<Option<Mode>>,
    gets: AtomicUsize,
    puts: AtomicUsize,
    /// What `get` answers instead of what is stored.
    answer: Mutex<Option<KeyringFile>>,
}

impl TestStore {
    pub fn set(&self, mode: Mode) {
        *self.0.mode.lock().unwrap() = Some(mode);
    }

    pub fn answer(&self, file: Option<KeyringFile>) {
        *self.0.answer.lock().unwrap() = file;
    }

    pub fn gets(&self) -> usize {
        self.0.gets.load(SeqCst)
    }

    pub fn puts(&self) -> usize {
        self.0.puts.load(SeqCst)
    }

    fn fails(&self) -> Result<(), Error> {
        let mode = *self.0.mode.lock().unwrap();
        match mode {
            Some(Mode::Unavailable) => Err(Error::from_store(true, "connection reset")),
            Some(Mode::Refuses) => Err(Error::from_store(false, "permission denied")),
            Some(Mode::Panics) => panic!("on command"),
            _ => Ok(()),
        }
    }
}

impl KeyringStore for TestStore {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move {
            self.0.gets.fetch_add(1, SeqCst);
            self.fails()?;
            if let Some(file) = self.0.answer.lock().unwrap().clone() {
                return Ok(Some(file));
            }
            self.0.files.get(keyspace).await
        })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.0.puts.fetch_add(1, SeqCst);
            self.fails()?;
            self.0.files.put(file, over).await?;
            let lies = *self.0.mode.lock().unwrap() == Some(Mode::Lies);
            if lies { Err(Error::from_store(true, "the answer was lost")) } else { Ok(()) }
        })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        self.0.files.keyspaces()
    }
}

/// What an observer heard, as text.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Heard {
    fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        Ok(())
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        let text = match event {
            KeyEvent::Unlocked { generation, root_key, .. } => format!("unlocked {generation} by {root_key}"),
            KeyEvent::RootKeyFailed { root_key, code, reason, .. } => format!("{root_key} failed: {code}: {reason}"),
            KeyEvent::Refreshed { generation, .. } => format!("refreshed {generation}"),
            KeyEvent::RefreshFailed { generation, stale_for, code, .. } => {
                format!("refresh of {generation} failed after {} s: {code}", stale_for.as_secs())
            }
            // When a handle is dropped is no matter of most tests.
            KeyEvent::Locked { .. } => return,
            KeyEvent::Changed { generation, change, .. } => format!("{generation} {change}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }
}
