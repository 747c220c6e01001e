//! Root keys used through a keyring, as in a program. `Tampering` is between the two: it changes what the provider
//! receives.
#![allow(dead_code, reason = "each test uses its part of this")]

use std::error::Error as StdError;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rxseal::keys::{KeyringFile, Suite};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Error, Keyring};

/// No call of a provider in these tests takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Unlocks `stored` that many times at once.
pub async fn unlock_many(roots: &RootKeys, keyspace: &'static str, stored: &KeyringFile, times: usize) {
    let calls: Vec<_> = (0..times)
        .map(|_| {
            let (roots, stored) = (roots.clone(), stored.clone());
            tokio::spawn(async move { Keyring::unlock(keyspace, &roots, &stored).await.map(drop) })
        })
        .collect();
    for call in calls {
        bounded(call).await.unwrap().unwrap();
    }
}

pub async fn create(keyspace: &str, roots: &RootKeys, suite: Suite) -> KeyringFile {
    let created = bounded(rxseal::testing::create_keyring(keyspace, roots, suite)).await;
    created.unwrap_or_else(|error| panic!("{error:?}{}", chain(&error)))
}

/// Unlocks and forgets.
pub async fn unlock(roots: &RootKeys, stored: &KeyringFile) -> Result<(), Error> {
    bounded(Keyring::unlock(stored.keyspace(), roots, stored)).await.map(drop)
}

/// A provider's call ends in bounded time.
pub async fn bounded<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, call).await.expect("the call ends in bounded time")
}

/// The file with its wrapped KEKs changed, as whoever can write the file does it.
pub fn change_wraps(stored: &KeyringFile, change: impl Fn(&mut Vec<u8>)) -> KeyringFile {
    let mut json: serde_json::Value = serde_json::from_str(&stored.to_string()).unwrap();
    for wrap in json["wraps"].as_array_mut().unwrap() {
        let mut bytes = URL_SAFE_NO_PAD.decode(wrap["wrapped"].as_str().unwrap()).unwrap();
        change(&mut bytes);
        wrap["wrapped"] = URL_SAFE_NO_PAD.encode(bytes).into();
    }
    json.to_string().parse().unwrap()
}

/// The texts of all causes of an error.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        write!(text, ": {cause}").unwrap();
        next = cause.source();
    }
    text
}

/// A root key behind an `Arc`, since `RootKeys` takes its root keys over.
#[derive(Clone)]
pub struct Shared(pub Arc<dyn RootKey>);

impl RootKey for Shared {
    fn provider(&self) -> &str {
        self.0.provider()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        self.0.wrap_kek(kek, context)
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        self.0.unwrap_kek(wrapped, context)
    }
}

type Replace = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

/// Stands in front of a root key, changes what it is asked to unwrap, and keeps what it saw.
#[derive(Clone)]
pub struct Tampering {
    inner: Arc<dyn RootKey>,
    name: String,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    replace: Replace,
    keks: Vec<[u8; 32]>,
    wraps: Vec<Vec<u8>>,
}

impl Tampering {
    pub fn of(inner: &Arc<dyn RootKey>) -> Self {
        let replace: Replace = Box::new(<[u8]>::to_vec);
        let seen = Seen { replace, keks: Vec::new(), wraps: Vec::new() };
        Self { inner: Arc::clone(inner), name: inner.name().to_owned(), seen: Arc::new(Mutex::new(seen)) }
    }

    /// What the provider is given instead of a wrap.
    pub fn replace(&self, replace: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) {
        self.seen.lock().unwrap().replace = Box::new(replace);
    }

    /// Every wrap that the provider made, in order.
    pub fn wraps(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().wraps.clone()
    }

    /// That no KEK and no wrap stands in an error or its causes: not as text, as numbers, in hex or in base64.
    pub fn assert_silent(&self, error: &(dyn StdError + 'static)) {
        let seen = self.seen.lock().unwrap();
        let secrets: Vec<&[u8]> =
            seen.keks.iter().map(<[u8; 32]>::as_slice).chain(seen.wraps.iter().map(|w| &**w)).collect();
        assert_silent(error, &secrets);
    }
}

/// That nothing of `secrets` stands in an error or its causes.
///
/// # Panics
///
/// Where something does.
pub fn assert_silent(error: &(dyn StdError + 'static), secrets: &[&[u8]]) {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        texts.extend([format!("{cause}"), format!("{cause:?}"), format!("{cause:#?}")]);
        next = cause.source();
    }
    let texts = texts.join("\n");
    let folded = texts.to_lowercase();
    let unspaced: String = texts.split_whitespace().collect();
    for secret in secrets {
        for piece in secret.windows(8) {
            assert!(!folded.contains(&hex(piece)), "an error shows secret bytes in hex");
            let numbers = piece.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            assert!(!unspaced.contains(&numbers), "an error shows secret bytes as numbers");
        }
        for start in 0..3.min(secret.len()) {
            // Whole groups of three bytes, so that the text is the same wherever it ends.
            for piece in secret[start..].chunks_exact(9) {
                for text in [STANDARD_NO_PAD.encode(piece), URL_SAFE_NO_PAD.encode(piece)] {
                    assert!(!texts.contains(&text), "an error shows secret bytes in base64");
                }
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl RootKey for Tampering {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(async move {
            let wrapped = self.inner.wrap_kek(kek, context).await?;
            let mut seen = self.seen.lock().unwrap();
            seen.wraps.push(wrapped.clone());
            seen.keks.push(*kek.expose_bytes());
            Ok(wrapped)
        })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move {
            let given = (self.seen.lock().unwrap().replace)(wrapped);
            let answer = self.inner.unwrap_kek(&given, context).await;
            let mut seen = self.seen.lock().unwrap();
            // What a lying provider hands out is a secret too: it may be the key of another keyring.
            seen.keks.extend(answer.as_ref().ok().map(|kek| *kek.expose_bytes()));
            answer
        })
    }
}

impl Debug for Tampering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tampering({})", self.name)
    }
}
