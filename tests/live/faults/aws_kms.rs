//! Faults between a program and AWS KMS. Every fault ends in bounded time, in a typed error that says what to do, after
//! the right number of requests, and with no secret in it.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::{self, Debug, Write as _};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_kms::config::Credentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rxseal::Error;
use rxseal::keys::{KeyringFile, Suite};
use rxseal::root::{RootKey, RootKeys};
use rxseal_aws_kms::AwsKmsKey;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tracing::field::{Field, Visit};
use tracing::span;

use crate::faulty::{FaultyServer, Reply, Request, refused_url};
use crate::root_keys::{Shared, Tampering, assert_silent, chain, create, unlock, unlock_many};

const REGION: &str = "eu-west-1";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab";
const REQUEST_ID: &str = "0123abcd-0123-4123-8123-0123456789ab";
const DEADLINE: Duration = Duration::from_millis(1200);
/// For a machine that is busy with other tests.
const GRACE: Duration = Duration::from_secs(10);

/// A KMS in memory that does what a real one does, until it is told to go wrong.
#[derive(Default)]
struct FakeKms {
    wraps: Mutex<Vec<Wrap>>,
    fault: Mutex<Option<What>>,
}

struct Wrap {
    key: Value,
    context: Value,
    plain: Value,
}

/// What goes wrong.
#[derive(Clone)]
enum What {
    /// Every answer is this one.
    Reply(Reply),
    /// The honest answer, changed.
    Edited(fn(&mut Value)),
    /// An answer made of the honest one.
    Made(fn(Value) -> Reply),
    /// Goes wrong in the first requests only.
    Passing(usize, Reply),
}

impl FakeKms {
    fn break_with(&self, what: impl Into<Option<What>>) {
        *self.fault.lock().unwrap() = what.into();
    }

    fn answer(&self, request: &Request, number: usize) -> Reply {
        let fault = self.fault.lock().unwrap().clone();
        match fault {
            None => self.honest(request).map_or_else(|refusal| refusal, |answer| Reply::json(200, &answer)),
            Some(What::Reply(reply)) => reply,
            Some(What::Passing(times, reply)) if number < times => reply,
            Some(What::Passing(..)) => {
                self.honest(request).map_or_else(|refusal| refusal, |answer| Reply::json(200, &answer))
            }
            Some(What::Made(made)) => self.honest(request).map_or_else(|refusal| refusal, made),
            Some(What::Edited(edit)) => self.honest(request).map_or_else(
                |refusal| refusal,
                |mut answer| {
                    edit(&mut answer);
                    Reply::json(200, &answer)
                },
            ),
        }
    }

    fn honest(&self, request: &Request) -> Result<Value, Reply> {
        let asked = request.json();
        let mut wraps = self.wraps.lock().unwrap();
        let (key, context) = (asked["KeyId"].clone(), asked["EncryptionContext"].clone());
        assert_eq!(asked["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
        assert_eq!(context.as_object().unwrap().len(), 2);
        assert!(context["rxseal:keyspace"].is_string() && context["rxseal:kek-fingerprint"].is_string());
        match request.header("x-amz-target") {
            Some("TrentService.Encrypt") => {
                let number = u64::try_from(wraps.len()).unwrap();
                wraps.push(Wrap { key: key.clone(), context, plain: asked["Plaintext"].clone() });
                let blob = [&b"wrap of the fake KMS, number "[..], &number.to_be_bytes(), &[0xA5; 64]].concat();
                Ok(
                    json!({"CiphertextBlob": STANDARD.encode(blob), "KeyId": key, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
                )
            }
            Some("TrentService.Decrypt") => {
                let blob = STANDARD.decode(asked["CiphertextBlob"].as_str().unwrap()).unwrap();
                let number =
                    blob.strip_prefix(b"wrap of the fake KMS, number ").and_then(|rest| rest.strip_suffix(&[0xA5; 64]));
                let number = number.and_then(|number| Some(u64::from_be_bytes(number.try_into().ok()?)));
                let wrap = number.and_then(|number| wraps.get(usize::try_from(number).ok()?));
                let wrap = wrap.filter(|wrap| wrap.key == key && wrap.context == context);
                let wrap = wrap.ok_or_else(|| refusal(400, "InvalidCiphertextException", ""))?;
                Ok(json!({"Plaintext": wrap.plain, "KeyId": key, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}))
            }
            other => panic!("{other:?} is not asked in these tests"),
        }
    }
}

/// An error as KMS writes it.
fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let headers = vec![("x-amzn-requestid", REQUEST_ID.to_owned())];
    let body = json!({"__type": code, "message": message}).to_string().into_bytes();
    Reply::Http { status, headers, body }
}

struct World {
    kms: Arc<FakeKms>,
    server: FaultyServer,
}

impl World {
    async fn new() -> Self {
        let kms = Arc::new(FakeKms::default());
        let answering = Arc::clone(&kms);
        let broken_since = Mutex::new(0);
        let server = FaultyServer::start(move |request| {
            let mut since = broken_since.lock().unwrap();
            if answering.fault.lock().unwrap().is_none() {
                *since = request.number + 1;
            }
            answering.answer(request, request.number - (*since).min(request.number))
        });
        Self { kms, server: server.await }
    }

    async fn root(&self, key: &str) -> AwsKmsKey {
        root_at(&self.server.url(), key).await
    }
}

async fn root_at(url: &str, key: &str) -> AwsKmsKey {
    with_credentials(url, key, Credentials::new("AKIDCANARY", "canary-secret", None, None, "test")).await
}

async fn with_credentials(url: &str, key: &str, credentials: impl ProvideCredentials + 'static) -> AwsKmsKey {
    let root = AwsKmsKey::with_config(&config(url, credentials), key).await.unwrap();
    root.deadline(DEADLINE).attempts(3)
}

fn config(url: &str, credentials: impl ProvideCredentials + 'static) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// A fault, and how the provider takes it.
struct Fault {
    name: &'static str,
    what: What,
    code: &'static str,
    requests: RangeInclusive<usize>,
    says: &'static str,
}

impl Fault {
    fn is_retryable(&self) -> bool {
        self.code == "provider-unavailable"
    }
}

/// What may pass by itself: tried three times.
fn passing(name: &'static str, reply: Reply, says: &'static str) -> Fault {
    Fault { name, what: What::Reply(reply), code: "provider-unavailable", requests: 3..=3, says }
}

/// What does not: tried once.
fn lasting(name: &'static str, reply: Reply, says: &'static str) -> Fault {
    Fault { name, what: What::Reply(reply), code: "provider-refused", requests: 1..=1, says }
}

/// What AWS names by a code.
fn named(name: &'static str, says: &'static str) -> Fault {
    lasting(name, refusal(400, name, "message of the server"), says)
}

/// An answer that is not what it should be.
fn edited(name: &'static str, edit: fn(&mut Value), says: &'static str) -> Fault {
    Fault { name, what: What::Edited(edit), code: "provider-refused", requests: 1..=1, says }
}

fn made(name: &'static str, made: fn(Value) -> Reply, says: &'static str) -> Fault {
    Fault { name, what: What::Made(made), code: "provider-unavailable", requests: 3..=3, says }
}

fn faults() -> Vec<Fault> {
    // What came over a connection that was used before may be sent once more by the HTTP client itself.
    let broken = |fault: Fault| Fault { requests: 3..=6, ..fault };
    // A deadline may end what is being tried.
    let late = |fault: Fault| Fault { requests: 1..=3, ..fault };
    let once = |fault: Fault| Fault { requests: 1..=1, ..fault };
    let wrong = |fault: Fault| Fault { code: "unlock-failed", ..fault };
    let html = |status| Reply::http(status, "<html><body>proxy: Jane Doe</body></html>");
    let slow = Reply::Drip { body: vec![b' '; 400], every: Duration::from_millis(50) };
    vec![
        // Throttled, or out of order
        passing("500", Reply::http(500, ""), "HTTP status 500"),
        passing("502", html(502), "HTTP status 502"),
        passing("503", html(503), "try again later"),
        passing("504", html(504), "HTTP status 504"),
        once(passing("501", html(501), "HTTP status 501")),
        once(passing("429 without a code", html(429), "quota")),
        passing("ThrottlingException", refusal(400, "ThrottlingException", "Rate exceeded"), "quota"),
        passing("429 TooManyRequestsException", refusal(429, "TooManyRequestsException", ""), "quota"),
        passing("LimitExceededException", refusal(400, "LimitExceededException", ""), "quota"),
        passing("KMSInternalException", refusal(500, "KMSInternalException", ""), REQUEST_ID),
        passing("DependencyTimeoutException", refusal(503, "DependencyTimeoutException", ""), "try again later"),
        passing("KeyUnavailableException", refusal(500, "KeyUnavailableException", ""), "key store"),
        passing("RequestTimeout", refusal(400, "RequestTimeout", ""), "try again later"),
        // No answer, or half of one
        late(passing("hang", Reply::Hang, "within 1200 ms")),
        late(passing("hang in the body", Reply::HangInBody, "within 1200 ms")),
        late(passing("byte by byte", slow, "within 1200 ms")),
        late(passing("late", Reply::Late(DEADLINE, Box::new(Reply::http(500, ""))), "within 1200 ms")),
        broken(passing("reset", Reply::Reset, "cannot be reached")),
        broken(passing("closed", Reply::Close, "cannot be reached")),
        broken(passing("half a head", Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()), "cannot be reached")),
        once(passing("no HTTP", Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()), "cannot be reached")),
        made(
            "half a body",
            |answer| Reply::Truncated { status: 200, body: answer.to_string().into_bytes() },
            "is not from AWS KMS",
        ),
        // An answer, but not of a KMS
        once(made(
            "corrupt JSON",
            |answer| Reply::http(200, answer.to_string().replacen(':', ";", 1)),
            "is not from AWS KMS",
        )),
        once(made("cut JSON", |answer| Reply::http(200, &answer.to_string().as_bytes()[..60]), "is not from AWS KMS")),
        once(made("JSON twice", |answer| Reply::http(200, format!("{answer}{answer}")), "is not from AWS KMS")),
        once(passing("empty body", Reply::http(200, ""), "is not from AWS KMS")),
        once(passing("empty object", Reply::http(200, "{}"), "is not from AWS KMS")),
        once(passing("a list", Reply::http(200, "[]"), "is not from AWS KMS")),
        once(passing("a page", html(200), "is not from AWS KMS")),
        once(passing(
            "fields of other types",
            Reply::json(200, &json!({"KeyId": 7, "Plaintext": [7, 7, 7]})),
            "is not from AWS KMS",
        )),
        once(passing(
            "redirected",
            Reply::Http { status: 302, headers: vec![("location", "/".into())], body: vec![] },
            "is not from AWS KMS",
        )),
        lasting("a proxy's 403", html(403), "HTTP status 403"),
        lasting("a proxy's 404", html(404), "HTTP status 404"),
        lasting("a proxy's 407", html(407), "HTTP status 407"),
        // A KMS that lies
        Fault {
            code: "provider-unavailable",
            ..edited("no key id", |a| drop(a["KeyId"].take()), "is not from AWS KMS")
        },
        Fault {
            code: "provider-unavailable",
            ..edited("no plaintext", |a| drop(a["Plaintext"].take()), "is not from AWS KMS")
        },
        Fault {
            code: "provider-unavailable",
            ..edited("not base64", |a| a["Plaintext"] = "!!!!".into(), "is not from AWS KMS")
        },
        edited("another key", |answer| answer["KeyId"] = OTHER.into(), "another key"),
        edited("another account", |a| a["KeyId"] = KEY.replace("1111", "4444").into(), "another key"),
        edited("another region", |a| a["KeyId"] = KEY.replace(REGION, "us-east-1").into(), "another key"),
        edited("an id for an ARN", |a| a["KeyId"] = KEY.rsplit('/').next().into(), "another key"),
        edited("0 bytes", |a| a["Plaintext"] = "".into(), "wrong length"),
        edited("16 bytes", |a| a["Plaintext"] = STANDARD.encode([7; 16]).into(), "wrong length"),
        edited("33 bytes", |a| a["Plaintext"] = STANDARD.encode([7; 33]).into(), "wrong length"),
        edited("1 MiB", |a| a["Plaintext"] = STANDARD.encode(vec![7; 1 << 20]).into(), "wrong length"),
        wrong(edited("32 other bytes", |a| a["Plaintext"] = STANDARD.encode([7; 32]).into(), "")),
        wrong(edited("32 zeros", |a| a["Plaintext"] = STANDARD.encode([0; 32]).into(), "")),
        wrong(edited("one bit", flip_one_bit, "")),
        // Refused
        named("AccessDeniedException", "denied kms:Decrypt on arn:aws:kms:eu-west-1:111122223333:key/1234abcd"),
        named("ExpiredTokenException", "have expired: renew them"),
        named("UnrecognizedClientException", "does not accept the credentials"),
        named("InvalidSignatureException", "the clock of this machine"),
        named("MissingAuthenticationTokenException", "does not accept the credentials"),
        named("NotFoundException", "has no key arn:aws:kms"),
        named("DisabledException", "kms:EnableKey"),
        named("KMSInvalidStateException", "kms:DescribeKey"),
        lasting(
            "pending deletion",
            refusal(400, "KMSInvalidStateException", "k is pending deletion."),
            "kms:CancelKeyDeletion",
        ),
        lasting(
            "pending import",
            refusal(400, "KMSInvalidStateException", "k is pending import."),
            "kms:ImportKeyMaterial",
        ),
        named("InvalidCiphertextException", "refused the wrapped key"),
        named("IncorrectKeyException", "refused the wrapped key"),
        named("InvalidKeyUsageException", "SYMMETRIC_DEFAULT"),
        named("ValidationException", "rejected kms:Decrypt"),
        lasting("an unknown refusal", refusal(400, "SurpriseException", ""), "SurpriseException"),
        // That quote the secret, as nothing of AWS does
        Fault {
            code: "provider-refused",
            ..once(made("quoted in a message", |a| refusal(400, "AccessDeniedException", &a.to_string()), "denied"))
        },
        Fault {
            code: "provider-refused",
            ..once(made("quoted as a code", |a| refusal(400, a["Plaintext"].as_str().unwrap(), ""), "HTTP status 400"))
        },
        once(made(
            "quoted as a number",
            |a| Reply::http(200, format!("{{\"KeyId\": 1{}}}", a["Plaintext"])),
            "is not from AWS KMS",
        )),
    ]
}

fn flip_one_bit(answer: &mut Value) {
    let mut plain = STANDARD.decode(answer["Plaintext"].as_str().unwrap()).unwrap();
    plain[31] ^= 1;
    answer["Plaintext"] = STANDARD.encode(plain).into();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fake_conforms() {
    let world = World::new().await;
    let (root, other) = (world.root(KEY).await, world.root(OTHER).await);
    rxseal_conformance::root_key(Arc::new(root), Arc::new(other)).await.unwrap().check_strict().unwrap();
}

/// Every fault, alone and in front of a second root key that works.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_as_it_should() {
    let faults = faults();
    let (count, names) = (faults.len(), faults.iter().map(|fault| fault.name).collect::<BTreeSet<_>>());
    assert_eq!(names.len(), count, "a fault is there twice");
    let mut texts = BTreeSet::new();
    let (mut faults, mut checking) = (faults.into_iter(), JoinSet::new());
    // Some at a time: most of it is waiting.
    loop {
        while checking.len() < 6
            && let Some(fault) = faults.next()
        {
            checking.spawn(ends_as_it_should(fault));
        }
        match checking.join_next().await {
            Some(text) => texts.insert(text.unwrap()),
            None => break,
        };
    }
    println!("aws-kms: {count} faults, {} texts", texts.len());
    for text in texts {
        println!("  {text}");
    }
}

async fn ends_as_it_should(fault: Fault) -> String {
    let (world, healthy) = (World::new().await, World::new().await);
    let root: Arc<dyn RootKey> = Arc::new(world.root(KEY).await);
    let watched = Tampering::of(&root);
    let alone = RootKeys::from(watched.clone());
    let both = alone.clone().and(healthy.root(OTHER).await);
    let stored = create("pharmacy-17", &both, Suite::default()).await;

    world.kms.break_with(fault.what.clone());
    let (error, requests) = refused(&world, &alone, &stored, fault.name).await;
    watched.assert_silent(&error);
    let text = format!("{error}{}", chain(&error));
    assert_eq!(error.code().as_str(), fault.code, "{}: {text}", fault.name);
    assert_eq!(error.is_retryable(), fault.is_retryable(), "{}: {text}", fault.name);
    assert!(text.contains(fault.says), "{}: {text}", fault.name);
    assert!(!text.contains('\n') && !text.contains("Jane") && !text.contains("canary"), "{}: {text}", fault.name);
    assert!(fault.requests.contains(&requests), "{}: {requests} requests, {text}", fault.name);

    let started = Instant::now();
    unlock(&both, &stored).await.unwrap_or_else(|error| panic!("{}: {error:?}{}", fault.name, chain(&error)));
    assert!(started.elapsed() < DEADLINE + GRACE, "{}: {:?}", fault.name, started.elapsed());

    world.kms.break_with(None);
    unlock(&alone, &stored).await.unwrap_or_else(|error| panic!("after {}: {error:?}{}", fault.name, chain(&error)));
    text
}

/// Unlocking fails in bounded time; with the number of requests that it took.
async fn refused(world: &World, roots: &RootKeys, stored: &KeyringFile, name: &str) -> (Error, usize) {
    let (before, started) = (world.server.count(), Instant::now());
    let error = unlock(roots, stored).await.expect_err(name);
    assert!(started.elapsed() < DEADLINE + GRACE, "{name}: {:?}", started.elapsed());
    (error, world.server.count() - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for() {
    let world = World::new().await;
    let roots = RootKeys::from(world.root(KEY).await);
    let stored = create("pharmacy-17", &roots, Suite::default()).await;
    for reply in [
        Reply::http(500, ""),
        refusal(400, "ThrottlingException", ""),
        Reply::Hang,
        Reply::Reset,
        Reply::Truncated { status: 200, body: b"{\"Plaintext\":\"\"}".to_vec() },
    ] {
        world.kms.break_with(What::Passing(1, reply));
        unlock(&roots, &stored).await.unwrap();
        world.kms.break_with(None);
        unlock(&roots, &stored).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_and_the_deadline_are_settings() {
    let world = World::new().await;
    let root = world.root(KEY).await;
    let stored = create("pharmacy-17", &RootKeys::from(root.clone()), Suite::default()).await;
    world.kms.break_with(What::Reply(Reply::http(500, "")));
    for attempts in [1, 2, 5] {
        let roots = RootKeys::from(root.clone().attempts(attempts).deadline(Duration::from_secs(20)));
        let before = world.server.count();
        assert!(unlock(&roots, &stored).await.unwrap_err().is_retryable());
        assert_eq!(world.server.count() - before, usize::try_from(attempts).unwrap());
    }
    world.kms.break_with(What::Reply(Reply::Hang));
    for millis in [0, 1, 100, 700] {
        let deadline = Duration::from_millis(millis);
        let (roots, started) = (RootKeys::from(root.clone().deadline(deadline)), Instant::now());
        assert!(unlock(&roots, &stored).await.unwrap_err().is_retryable());
        assert!((deadline..deadline + GRACE).contains(&started.elapsed()), "{:?}", started.elapsed());
    }
}

/// A root key that always fails uses up its quota of retries, and no other's.
#[tokio::test(flavor = "multi_thread")]
async fn a_root_key_that_fails_does_not_starve_another() {
    let world = World::new().await;
    let (failing, other) = (world.root(KEY).await, world.root(KEY).await);
    let failing = RootKeys::from(failing.deadline(Duration::from_millis(60)));
    let other = RootKeys::from(other);
    let stored = create("pharmacy-17", &other, Suite::default()).await;
    world.kms.break_with(What::Reply(Reply::http(500, "")));
    for _ in 0..70 {
        unlock(&failing, &stored).await.unwrap_err();
    }
    let before = world.server.count();
    unlock(&other, &stored).await.unwrap_err();
    assert_eq!(world.server.count() - before, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens() {
    let world = World::new().await;
    let stored = create("pharmacy-17", &RootKeys::from(world.root(KEY).await), Suite::default()).await;
    // The last one speaks HTTP where TLS is expected.
    for (url, says) in [
        (refused_url().await, "connection refused"),
        (world.server.url().replace("http:", "https:"), "within 1200 ms"),
        ("http://[::1]:1".to_owned(), "cannot be reached"),
    ] {
        let started = Instant::now();
        let error = unlock(&RootKeys::from(root_at(&url, KEY).await), &stored).await.unwrap_err();
        assert!(started.elapsed() < DEADLINE + GRACE, "{url}: {:?}", started.elapsed());
        assert!(error.is_retryable(), "{error:?}{}", chain(&error));
        assert!(chain(&error).contains(says), "{url}: {}", chain(&error));
    }
}

#[derive(Clone, Copy, Debug)]
enum BadCredentials {
    Missing,
    Misconfigured,
    Unavailable,
    Hanging,
}

impl ProvideCredentials for BadCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self {
            Self::Missing => future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("canary"))),
            Self::Misconfigured => {
                future::ProvideCredentials::ready(Err(CredentialsError::invalid_configuration("canary")))
            }
            Self::Unavailable => future::ProvideCredentials::ready(Err(CredentialsError::provider_error("canary"))),
            Self::Hanging => future::ProvideCredentials::new(std::future::pending()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_cannot_be_had() {
    let world = World::new().await;
    let stored = create("pharmacy-17", &RootKeys::from(world.root(KEY).await), Suite::default()).await;
    let before = world.server.count();
    for (credentials, retryable, says) in [
        (BadCredentials::Missing, false, "no AWS credentials were found"),
        (BadCredentials::Misconfigured, false, "not configured properly"),
        (BadCredentials::Unavailable, true, "aws sso login"),
        (BadCredentials::Hanging, true, "within 1200 ms"),
    ] {
        let started = Instant::now();
        let root = with_credentials(&world.server.url(), KEY, credentials).await;
        let error = unlock(&RootKeys::from(root), &stored).await.unwrap_err();
        assert!(started.elapsed() < DEADLINE + GRACE, "{credentials:?}: {:?}", started.elapsed());
        let text = chain(&error);
        assert_eq!(error.is_retryable(), retryable, "{credentials:?}: {error:?}{text}");
        assert!(text.contains(says) && !text.contains("canary"), "{credentials:?}: {text}");
    }
    assert_eq!(world.server.count(), before, "nothing is sent without credentials");
}

/// Nothing is stored that was not verified.
#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_is_made_only_of_what_was_verified() {
    let world = World::new().await;
    let root: Arc<dyn RootKey> = Arc::new(world.root(KEY).await);
    for (what, code, says) in [
        (What::Reply(refusal(400, "AccessDeniedException", "")), "provider-refused", "denied kms:Encrypt on arn:"),
        (What::Edited(|a| a["KeyId"] = OTHER.into()), "provider-refused", "another key"),
        (What::Edited(|a| a["CiphertextBlob"] = "".into()), "provider-unavailable", "is not from AWS KMS"),
        (What::Edited(|a| drop(a["CiphertextBlob"].take())), "provider-unavailable", "is not from AWS KMS"),
        // It wraps, and then unwraps to something else.
        (What::Edited(|a| a["Plaintext"] = STANDARD.encode([7; 32]).into()), "unlock-failed", ""),
        (What::Edited(flip_if_plain), "unlock-failed", ""),
        // It gives another wrap than the one that it made.
        (
            What::Edited(|a| a["CiphertextBlob"] = STANDARD.encode([7; 99]).into()),
            "provider-refused",
            "refused the wrapped key",
        ),
        (What::Reply(Reply::http(500, "")), "provider-unavailable", "kms:Encrypt"),
        (What::Reply(Reply::Hang), "provider-unavailable", "within 1200 ms"),
    ] {
        world.kms.break_with(what);
        let watched = Tampering::of(&root);
        let started = Instant::now();
        let created =
            rxseal::testing::create_keyring("pharmacy-17", &RootKeys::from(watched.clone()), Suite::default()).await;
        let error = created.unwrap_err();
        assert!(started.elapsed() < DEADLINE * 2 + GRACE);
        watched.assert_silent(&error);
        assert_eq!(error.code().as_str(), code, "{error:?}{}", chain(&error));
        assert!(chain(&error).contains(says), "{error:?}{}", chain(&error));
    }
}

fn flip_if_plain(answer: &mut Value) {
    if answer["Plaintext"].is_string() {
        flip_one_bit(answer);
    }
}

/// The errors of looking a key up name the right that it takes.
#[tokio::test(flavor = "multi_thread")]
async fn looking_a_key_up() {
    let metadata = json!({
        "Arn": KEY, "KeyId": KEY.rsplit('/').next(), "KeySpec": "SYMMETRIC_DEFAULT", "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
    });
    let with = |name: &str, value: Value| {
        let mut metadata = metadata.clone();
        metadata[name] = value;
        Reply::json(200, &json!({"KeyMetadata": metadata}))
    };
    for (reply, code, says) in [
        (with("KeyState", "Disabled".into()), "provider-refused", "kms:EnableKey"),
        (with("KeyState", "PendingDeletion".into()), "provider-refused", "kms:CancelKeyDeletion"),
        (with("KeyState", "Unavailable".into()), "provider-unavailable", "alias/phi-root now"),
        (with("KeyState", "Surprise".into()), "provider-refused", "forbids its use"),
        (with("KeySpec", "RSA_4096".into()), "provider-refused", "SYMMETRIC_DEFAULT"),
        (with("KeyUsage", "SIGN_VERIFY".into()), "provider-refused", "ENCRYPT_DECRYPT"),
        (with("Arn", "arn:aws:s3:::bucket".into()), "provider-unavailable", "is not from AWS KMS"),
        (with("Arn", Value::Null), "provider-unavailable", "is not from AWS KMS"),
        (Reply::http(200, "{}"), "provider-unavailable", "is not from AWS KMS"),
        (refusal(400, "AccessDeniedException", ""), "provider-refused", "denied kms:DescribeKey on alias/phi-root"),
        (refusal(400, "NotFoundException", ""), "provider-refused", "has no key alias/phi-root"),
        (Reply::http(500, ""), "provider-unavailable", "kms:DescribeKey"),
    ] {
        let server = FaultyServer::start(move |_| reply.clone()).await;
        let credentials = Credentials::new("AKIDCANARY", "canary-secret", None, None, "test");
        let error = AwsKmsKey::with_config(&config(&server.url(), credentials), "alias/phi-root").await.unwrap_err();
        assert_eq!(error.code().as_str(), code, "{error:?}{}", chain(&error));
        assert!(chain(&error).contains(says), "{says}: {}", chain(&error));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_at_once() {
    let world = World::new().await;
    let roots = RootKeys::from(world.root(KEY).await.deadline(Duration::from_secs(20)));
    let stored = create("pharmacy-17", &roots, Suite::default()).await;
    let before = world.server.count();
    unlock_many(&roots, "pharmacy-17", &stored, 64).await;
    assert_eq!(world.server.count() - before, 64);
}

/// A multi-region key is looked for by a name without its region, and any replica may answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_may_answer() {
    let primary = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
    let world = World::new().await;
    let roots = RootKeys::from(world.root(primary).await);
    let stored = create("pharmacy-17", &roots, Suite::default()).await;
    assert_eq!(stored.wraps().next().unwrap().root_key(), primary.replace("eu-west-1", ""));
    world
        .kms
        .break_with(What::Edited(|a| a["KeyId"] = a["KeyId"].as_str().unwrap().replace(REGION, "us-east-1").into()));
    unlock(&roots, &stored).await.unwrap();
    world.kms.break_with(What::Edited(|a| a["KeyId"] = a["KeyId"].as_str().unwrap().replace("1111", "4444").into()));
    unlock(&roots, &stored).await.unwrap_err();
    world.kms.break_with(What::Edited(|a| a["KeyId"] = OTHER.into()));
    unlock(&roots, &stored).await.unwrap_err();
}

/// Not even at the level TRACE does the KEK stand in a log. Answers do that hold none, which shows that this looks.
#[test]
fn the_log_at_its_finest_has_no_key() {
    // For the whole process: what is enabled for one thread alone depends on what the others do.
    let log = Log { text: Arc::default(), thread: std::thread::current().id() };
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        let root: Arc<dyn RootKey> = Arc::new(world.root(KEY).await);
        let roots = RootKeys::from(Shared(root));
        let stored = create("pharmacy-17", &roots, Suite::default()).await;
        unlock(&roots, &stored).await.unwrap();
        let refused = |what| world.kms.break_with(What::Edited(what));
        refused(|answer| answer["KeyId"] = OTHER.into());
        unlock(&roots, &stored).await.unwrap_err();
        world.kms.break_with(What::Made(|answer| Reply::http(200, format!("{answer}{answer}"))));
        unlock(&roots, &stored).await.unwrap_err();
        let keks: Vec<_> = world
            .kms
            .wraps
            .lock()
            .unwrap()
            .iter()
            .map(|wrap| STANDARD.decode(wrap.plain.as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(keks.len(), 1);
        let logged = log.clone();
        assert!(logged.text.lock().unwrap().len() > 1000, "the SDK logs nothing any more, or not through tracing 0.1");
        assert_silent(&logged, &[&keks[0]]);

        let credentials = Credentials::new("AKIDCANARY", "canary-secret", None, None, "test");
        let raw = aws_sdk_kms::Client::new(&config(&world.server.url(), credentials));
        let plain = aws_sdk_kms::primitives::Blob::new([0x5A; 32]);
        world.kms.break_with(None);
        let call = raw.encrypt().key_id(KEY).plaintext(plain).encryption_algorithm("SYMMETRIC_DEFAULT".into());
        let call = call.encryption_context("rxseal:keyspace", "x").encryption_context("rxseal:kek-fingerprint", "x");
        call.send().await.unwrap();
        let wrap_begins = STANDARD.encode("wrap of the fake K");
        assert!(log.text.lock().unwrap().contains(&wrap_begins), "the control: what the SDK does not know as a secret");
    });
}

/// Everything that is logged on one thread.
#[derive(Clone)]
struct Log {
    text: Arc<Mutex<String>>,
    thread: std::thread::ThreadId,
}

impl tracing::Subscriber for Log {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        std::thread::current().id() == self.thread
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.text.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

/// So that a log can be searched as an error is.
impl StdError for Log {}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.lock().unwrap())
    }
}

impl Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}
