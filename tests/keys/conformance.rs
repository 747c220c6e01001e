//! What every root key must do, whoever provides it. Written against the public API alone, so that a provider of a user's own
//! can be held to it too.
//!
//! A root key is driven through a keyring, as a program does it. `Tampering` stands between the two: it changes what the
//! provider is given, and tells apart what the provider refused by itself and what rxseal refused after a wrong answer.
#![allow(dead_code, reason = "each test uses its part of this")]

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rxseal::keys::{KeyringFile, Suite};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Access, Error, Keyring, Purpose};

/// No call of a provider in these tests takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a root key took what it must refuse. Every one of these ended in an error; the question is whose.
#[derive(Debug, Default)]
pub struct Conformance {
    /// Wraps with a changed bit or byte, cut off, extended or empty.
    pub changed: usize,
    /// Of them: those that the provider itself gave an answer for, so that only rxseal's fingerprint check refused them.
    pub changed_but_answered: usize,
    /// Of them: those whose change the provider does not look at, so that the genuine KEK came out, which proves itself.
    pub changed_without_effect: usize,
    /// Wraps of another keyspace, of another keyring, or of another root key.
    pub moved: usize,
    /// Of them: those that the provider gave an answer for.
    pub moved_but_answered: usize,
    /// Distinct texts of errors that were searched for key bytes.
    pub errors: BTreeSet<String>,
    /// Whether two wraps of one KEK differ.
    pub wraps_differ: bool,
}

impl Conformance {
    /// That the provider refused all by itself, as a real one does.
    pub fn assert_provider_is_strict(&self) {
        let accepted = self.changed_but_answered + self.changed_without_effect + self.moved_but_answered;
        assert_eq!(accepted, 0, "{self:?}");
    }
}

/// Holds `root` to the contract. `other` is another root key of the same provider.
///
/// # Panics
///
/// Where a promise is broken.
pub async fn conforms(root: Arc<dyn RootKey>, other: Arc<dyn RootKey>) -> Conformance {
    let mut found = Conformance::default();
    names_are_legal(&*root, &*other);
    wraps_and_unwraps(&root).await;
    two_wraps_of_one_kek(&root, &mut found).await;
    changed_wraps_are_refused(&root, &mut found).await;
    moved_wraps_are_refused(&root, &mut found).await;
    another_root_key_refuses(&root, &other, &mut found).await;
    either_root_key_unlocks(&root, &other).await;
    a_dropped_call_does_no_harm(&root).await;
    many_at_once(&root).await;
    found
}

fn names_are_legal(root: &dyn RootKey, other: &dyn RootKey) {
    for root in [root, other] {
        let (provider, name) = (root.provider().to_owned(), root.name().to_owned());
        assert!((1..=64).contains(&provider.len()) && provider.as_bytes()[0].is_ascii_alphanumeric(), "{provider}");
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        assert!(provider.chars().all(legal), "{provider}");
        assert!((1..=2048).contains(&name.len()) && name.chars().all(|c| c.is_ascii_graphic()), "{name}");
        assert_eq!((root.provider(), root.name()), (&*provider, &*name), "names are stable");
    }
    assert_eq!(root.provider(), other.provider());
    assert_ne!(root.name(), other.name(), "two root keys have two names");
}

async fn wraps_and_unwraps(root: &Arc<dyn RootKey>) {
    let roots = RootKeys::from(Shared(Arc::clone(root)));
    for suite in [Suite::default(), Suite::XChaCha20Poly1305] {
        let stored = create("conformance-a", &roots, suite).await;
        let wraps: Vec<_> =
            stored.wraps().map(|wrap| (wrap.provider().to_owned(), wrap.root_key().to_owned())).collect();
        assert_eq!(wraps, [(root.provider().to_owned(), root.name().to_owned())]);
        let text = stored.to_string();
        let stored: KeyringFile = text.parse().unwrap();
        let first = bounded(Keyring::unlock("conformance-a", &roots, &stored)).await.unwrap().unobserved();
        let token = first.record("prescription", "RX-1").unwrap().seal::<rxseal::phi::Drug>("lisinopril").unwrap();
        let next = bounded(Keyring::rotate("conformance-a", &roots, &stored)).await.unwrap();
        let next = bounded(Keyring::unlock("conformance-a", &roots, &next)).await.unwrap().unobserved();
        assert_eq!((first.generation(), next.generation()), (1, 2));
        let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
        let record = next.record("prescription", "RX-1").unwrap();
        assert_eq!(record.opened_by(&access).open::<rxseal::phi::Drug, String>(&token).unwrap(), "lisinopril");
    }
}

/// A provider need not draw a nonce: both wraps must unlock, and whether they differ is only noted.
async fn two_wraps_of_one_kek(root: &Arc<dyn RootKey>, found: &mut Conformance) {
    let tampering = Tampering::of(root);
    tampering.wrap_twice();
    let roots = RootKeys::from(tampering.clone());
    let stored = create("conformance-a", &roots, Suite::default()).await;
    let wraps = tampering.wraps();
    assert_eq!(wraps.len(), 2);
    for wrap in &wraps {
        let wrap = wrap.clone();
        tampering.replace(move |_| wrap.clone());
        unlock(&roots, &stored).await.unwrap();
    }
    found.wraps_differ = wraps[0] != wraps[1];
}

async fn changed_wraps_are_refused(root: &Arc<dyn RootKey>, found: &mut Conformance) {
    let tampering = Tampering::of(root);
    let roots = RootKeys::from(tampering.clone());
    let stored = create("conformance-a", &roots, Suite::default()).await;
    let genuine = tampering.wraps().remove(0);
    for changed in changes(&genuine) {
        assert_ne!(changed, genuine);
        tampering.replace(move |_| changed.clone());
        found.changed += 1;
        if tampering.answered_genuinely(&roots, &stored).await {
            found.changed_without_effect += 1;
            continue;
        }
        let error = refused(&roots, &stored, &tampering, found).await;
        found.changed_but_answered += usize::from(tampering.answered());
        assert!(!error.is_retryable(), "a changed wrap does not become whole by waiting: {error:?} {}", chain(&error));
    }
    tampering.replace(<[u8]>::to_vec);
    unlock(&roots, &stored).await.unwrap();
    // And in the file itself, which is how an attacker does it.
    let changed = change_wraps(&stored, |wrap| *wrap.last_mut().unwrap() ^= 1);
    refused(&RootKeys::from(Shared(Arc::clone(root))), &changed, &tampering, found).await;
}

/// One bit of every byte of a short wrap, of a sample of a long one; and every way to be no wrap at all.
fn changes(genuine: &[u8]) -> Vec<Vec<u8>> {
    let mut changes = vec![Vec::new(), vec![0], vec![0; genuine.len()], b"Jane Doe".to_vec(), vec![0xFF; 8192]];
    for at in (0..genuine.len()).step_by(genuine.len().div_ceil(64)) {
        let mut changed = genuine.to_vec();
        changed[at] ^= 1 << (changes.len() % 8);
        changes.push(changed);
    }
    for len in [1, genuine.len() / 2, genuine.len() - 16, genuine.len() - 1] {
        changes.push(genuine[..len].to_vec());
        changes.push(genuine[genuine.len() - len..].to_vec());
    }
    for more in [1, 16] {
        changes.push([genuine, &vec![0; more][..]].concat());
        changes.push([&vec![0; more][..], genuine].concat());
    }
    changes.push([genuine, genuine].concat());
    changes.retain(|changed| changed != genuine);
    changes
}

/// A wrap is bound to the keyspace and to the KEK's fingerprint.
async fn moved_wraps_are_refused(root: &Arc<dyn RootKey>, found: &mut Conformance) {
    let tampering = Tampering::of(root);
    let roots = RootKeys::from(tampering.clone());
    let mut stored = Vec::new();
    for keyspace in ["conformance-a", "conformance-a", "conformance-b"] {
        stored.push(create(keyspace, &roots, Suite::default()).await);
    }
    let wraps = tampering.wraps();
    for (at, file) in stored.iter().enumerate() {
        for wrap in wraps.iter().enumerate().filter(|(of, _)| *of != at).map(|(_, wrap)| wrap.clone()) {
            tampering.replace(move |_| wrap.clone());
            let error = refused(&roots, file, &tampering, found).await;
            found.moved += 1;
            found.moved_but_answered += usize::from(tampering.answered());
            assert!(!error.is_retryable(), "{error:?} {}", chain(&error));
        }
    }
    tampering.replace(<[u8]>::to_vec);
    let foreign = wraps[2].clone();
    let moved = change_wraps(&stored[0], |wrap| *wrap = foreign.clone());
    refused(&RootKeys::from(Shared(Arc::clone(root))), &moved, &tampering, found).await;
}

async fn another_root_key_refuses(root: &Arc<dyn RootKey>, other: &Arc<dyn RootKey>, found: &mut Conformance) {
    let tampering = Tampering::of(root);
    let stored = create("conformance-a", &RootKeys::from(tampering.clone()), Suite::default()).await;
    // By its own name it is not even asked.
    let error = refused(&RootKeys::from(Shared(Arc::clone(other))), &stored, &tampering, found).await;
    assert_eq!(error.code().as_str(), "unlock-failed");
    // By the name that the file knows, it is.
    let mut posing = Tampering::of(other);
    posing.name = root.name().to_owned();
    let error = refused(&RootKeys::from(posing.clone()), &stored, &tampering, found).await;
    found.moved += 1;
    found.moved_but_answered += usize::from(posing.answered());
    assert!(!error.is_retryable(), "{error:?} {}", chain(&error));
}

async fn either_root_key_unlocks(root: &Arc<dyn RootKey>, other: &Arc<dyn RootKey>) {
    let both = RootKeys::from(Shared(Arc::clone(root))).and(Shared(Arc::clone(other)));
    let stored = create("conformance-a", &both, Suite::default()).await;
    for one in [root, other] {
        unlock(&RootKeys::from(Shared(Arc::clone(one))), &stored).await.unwrap();
    }
    // A wrong answer of the first does not keep the second from being asked.
    let tampering = Tampering::of(root);
    tampering.replace(|_| b"Jane Doe".to_vec());
    let roots = RootKeys::from(tampering).and(Shared(Arc::clone(other)));
    unlock(&roots, &stored).await.unwrap();
}

/// A request that was cancelled, as a web server does when its client goes away, leaves the root key usable.
async fn a_dropped_call_does_no_harm(root: &Arc<dyn RootKey>) {
    let roots = RootKeys::from(Shared(Arc::clone(root)));
    let stored = create("conformance-a", &roots, Suite::default()).await;
    for micros in [0, 50, 200, 1000] {
        let call = Keyring::unlock("conformance-a", &roots, &stored);
        drop(tokio::time::timeout(Duration::from_micros(micros), call).await);
    }
    unlock(&roots, &stored).await.unwrap();
}

async fn many_at_once(root: &Arc<dyn RootKey>) {
    let roots = RootKeys::from(Shared(Arc::clone(root)));
    let stored = create("conformance-a", &roots, Suite::default()).await;
    unlock_many(&roots, "conformance-a", &stored, 32).await;
}

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
    let created = bounded(Keyring::create(keyspace, roots, suite)).await;
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

/// Unlocking must end in an error with a code, that says nothing of what `keys` has seen.
async fn refused(roots: &RootKeys, stored: &KeyringFile, keys: &Tampering, found: &mut Conformance) -> Error {
    let Err(error) = unlock(roots, stored).await else {
        panic!("a keyring was unlocked with a wrap that is not its own");
    };
    keys.assert_silent(&error);
    assert!(
        matches!(error.code().as_str(), "unlock-failed" | "provider-refused" | "provider-unavailable"),
        "{error:?}"
    );
    let text = format!("{error}{}", chain(&error));
    // Without the ids of requests, of which there is one for each.
    found.errors.insert(text.split(", request ").next().unwrap().to_owned());
    error
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
    wrap_twice: bool,
    keks: Vec<[u8; 32]>,
    wraps: Vec<Vec<u8>>,
    answered: bool,
}

impl Tampering {
    pub fn of(inner: &Arc<dyn RootKey>) -> Self {
        let replace: Replace = Box::new(<[u8]>::to_vec);
        let seen = Seen { replace, wrap_twice: false, keks: Vec::new(), wraps: Vec::new(), answered: false };
        Self { inner: Arc::clone(inner), name: inner.name().to_owned(), seen: Arc::new(Mutex::new(seen)) }
    }

    /// What the provider is given instead of a wrap.
    pub fn replace(&self, replace: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) {
        self.seen.lock().unwrap().replace = Box::new(replace);
    }

    pub fn wrap_twice(&self) {
        self.seen.lock().unwrap().wrap_twice = true;
    }

    /// Every wrap that the provider made, in order.
    pub fn wraps(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().wraps.clone()
    }

    /// Whether the provider gave a KEK for what it was asked last.
    pub fn answered(&self) -> bool {
        self.seen.lock().unwrap().answered
    }

    /// Whether the keyring unlocks, and that only with the KEK that was wrapped.
    async fn answered_genuinely(&self, roots: &RootKeys, stored: &KeyringFile) -> bool {
        let unlocked = unlock(roots, stored).await.is_ok();
        let seen = self.seen.lock().unwrap();
        assert!(
            !unlocked || seen.keks.first() == seen.keks.last(),
            "a keyring was unlocked with another KEK than its own"
        );
        unlocked
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
            let times = if self.seen.lock().unwrap().wrap_twice { 2 } else { 1 };
            let mut wrapped = Vec::new();
            for _ in 0..times {
                wrapped = self.inner.wrap_kek(kek, context).await?;
                self.seen.lock().unwrap().wraps.push(wrapped.clone());
            }
            self.seen.lock().unwrap().keks.push(*kek.expose_bytes());
            Ok(wrapped)
        })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move {
            let given = (self.seen.lock().unwrap().replace)(wrapped);
            let answer = self.inner.unwrap_kek(&given, context).await;
            let mut seen = self.seen.lock().unwrap();
            seen.answered = answer.is_ok();
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
