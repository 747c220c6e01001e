//! Faults between a program and Vault. Every fault ends in bounded time, in a typed error that says what to do, after
//! the right number of requests, and with no secret in it.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rxseal::keys::{KeyringFile, Suite};
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Error, Keyring};
use rxseal_vault::{VaultKey, VaultKeyBuilder};
use serde_json::{Value, json};

use crate::faulty::{FaultyServer, Reply, Request, refused_url};
use crate::root_keys::{Tampering, bounded, chain, change_wraps, create, unlock_many};

const TOKEN: &str = "s.Y2FuYXJ5LXRva2Vu";
const SECRET_ID: &str = "canary-secret-id";
const DEADLINE: Duration = Duration::from_millis(1500);
/// For a machine that is busy with other tests.
const GRACE: Duration = Duration::from_secs(10);

/// A fault, and how the provider takes it.
struct Fault {
    name: &'static str,
    reply: Reply,
    retryable: bool,
    requests: usize,
    says: &'static str,
}

/// What may pass by itself: tried three times.
fn passing(name: &'static str, reply: Reply, says: &'static str) -> Fault {
    Fault { name, reply, retryable: true, requests: 3, says }
}

/// What does not: tried once.
fn lasting(name: &'static str, reply: Reply, says: &'static str) -> Fault {
    Fault { name, reply, retryable: false, requests: 1, says }
}

fn status(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({"errors": [error]}))
}

fn opened(plaintext: impl AsRef<[u8]>) -> Reply {
    Reply::json(200, &json!({"data": {"plaintext": STANDARD.encode(plaintext)}}))
}

fn redirect(status: u16, to: &str) -> Reply {
    Reply::Http { status, headers: vec![("location", to.to_owned())], body: Vec::new() }
}

fn faults(elsewhere: &str) -> Vec<Fault> {
    let whole = json!({"data": {"plaintext": STANDARD.encode([7; 32])}}).to_string().into_bytes();
    let twice = r#"{"data":{"plaintext":"AAAA","plaintext":"AAAA"}}"#;
    let wait = |seconds: u32| Reply::Http {
        status: 429,
        headers: vec![("retry-after", seconds.to_string())],
        body: Vec::new(),
    };
    vec![
        passing("408", status(408, ""), "status 408"),
        passing("412", status(412, ""), "status 412"),
        passing("429", status(429, "rate limit quota exceeded"), "rate"),
        passing("429, at once", wait(0), "rate"),
        // Waiting would take longer than the deadline, so the error comes now.
        Fault { requests: 1, ..passing("429, in a minute", wait(60), "rate") },
        passing("472", status(472, ""), "standby"),
        passing("473", status(473, ""), "standby"),
        passing("500", status(500, "1 error occurred: internal"), "status 500"),
        passing("502", Reply::http(502, "<html>Bad Gateway</html>"), "status 502"),
        passing("503, sealed", status(503, "Vault is sealed"), "unseal it"),
        passing("503", status(503, ""), "status 503"),
        passing("503, cut off", Reply::Truncated { status: 503, body: b"{\"errors\":[]}".to_vec() }, "status 503"),
        passing("504", Reply::http(504, ""), "status 504"),
        passing("reset", Reply::Reset, "broke"),
        passing("closed", Reply::Close, "broke"),
        passing("cut off", Reply::Truncated { status: 200, body: whole.clone() }, "broke"),
        passing("no HTTP", Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()), "broke"),
        passing("no bytes", Reply::http(200, ""), "not from Vault"),
        passing("HTML", Reply::http(200, "<html>Please log in</html>"), "not from Vault"),
        passing("half the JSON", Reply::http(200, &whole[..whole.len() - 3]), "not from Vault"),
        passing("no UTF-8", Reply::http(200, [&b"{\"data\":{\"plaintext\":\"\xFF\"}}"[..]].concat()), "not from Vault"),
        passing("no data", Reply::json(200, &json!({"data": null})), "not from Vault"),
        passing("no plaintext", Reply::json(200, &json!({"data": {"ciphertext": "x"}})), "not from Vault"),
        passing("a number", Reply::json(200, &json!({"data": {"plaintext": 5}})), "not from Vault"),
        passing("two plaintexts", Reply::http(200, twice), "not from Vault"),
        passing("deep JSON", Reply::http(200, "[".repeat(60_000)), "not from Vault"),
        // One attempt takes half of the time, the second what is left of it.
        Fault { requests: 2, ..passing("hang", Reply::Hang, "in time") },
        Fault { requests: 2, ..passing("hang in the body", Reply::HangInBody, "in time") },
        Fault {
            requests: 2,
            ..passing("drip", Reply::Drip { body: whole, every: Duration::from_millis(40) }, "in time")
        },
        lasting("204", Reply::http(204, ""), "not a Transit engine"),
        lasting("201", Reply::http(201, ""), "not a Transit engine"),
        lasting("301", redirect(301, elsewhere), "redirect"),
        lasting("307", redirect(307, elsewhere), "redirect"),
        lasting("308", redirect(308, elsewhere), "redirect"),
        lasting("400, authentication", status(400, "cipher: message authentication failed"), "changed"),
        lasting("400, ciphertext", status(400, "invalid ciphertext: no prefix"), "changed"),
        lasting("400, version", status(400, "disallowed by policy (too old)"), "min_decryption_version"),
        lasting("400, no key", status(400, "encryption key not found"), "does not exist"),
        lasting("400, derived", status(400, "missing 'context' for key derivation"), "derived"),
        lasting("400, TLS", Reply::http(400, "Client sent an HTTP request to an HTTPS server.\n"), "https://"),
        lasting("400", status(400, "something new"), "audit log"),
        lasting("401", status(401, ""), "expired"),
        lasting("403", status(403, "permission denied"), "expired"),
        lasting(
            "403, policy",
            status(403, "1 error occurred:\n\t* permission denied\n\n"),
            "transit/decrypt/phi-root`",
        ),
        lasting(
            "403, two errors",
            status(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token"),
            "expired",
        ),
        lasting("404, namespace", status(404, "namespace not found"), "namespace"),
        lasting("404", status(404, "no handler for route"), "nothing is mounted"),
        lasting("405", status(405, "unsupported operation"), "not a Transit engine"),
        lasting("418", status(418, ""), "status 418"),
        lasting("endless", Reply::Endless, "too large"),
        lasting("too large", Reply::http(200, vec![b' '; 65 * 1024]), "too large"),
        lasting("31 bytes", opened([7; 31]), "no key of 32 bytes"),
        lasting("33 bytes", opened([7; 33]), "no key of 32 bytes"),
        lasting("nothing", opened([]), "no key of 32 bytes"),
        lasting("no base64", Reply::json(200, &json!({"data": {"plaintext": "#".repeat(44)}})), "no key of 32 bytes"),
        lasting("two spellings", Reply::json(200, &json!({"data": {"plaintext": "A".repeat(42) + "B="}})), "no key"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_unlocking() {
    let healthy = FaultyServer::start(fake_transit).await;
    let stored = create("pharmacy-17", &roots(&healthy.url()), Suite::default()).await;
    let elsewhere = FaultyServer::start(fake_transit).await;
    let faults = faults(&format!("{}/v1/transit/decrypt/phi-root", elsewhere.url()));
    let names: BTreeSet<_> = faults.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults.len());
    let mut calls = tokio::task::JoinSet::new();
    for fault in faults {
        let stored = stored.clone();
        calls.spawn(async move { check(fault, &stored).await });
    }
    while let Some(checked) = calls.join_next().await {
        checked.unwrap();
    }
    assert_eq!(elsewhere.count(), 0, "a redirect is not followed");
    println!("{} faults of Vault: each bounded and typed", names.len());
}

async fn check(fault: Fault, stored: &KeyringFile) {
    let Fault { name, reply, retryable, requests, says } = fault;
    let server = FaultyServer::start(move |_| reply.clone()).await;
    let root: Arc<dyn RootKey> = Arc::new(builder(&server.url()).build().unwrap());
    let tampering = Tampering::of(&root);
    let started = Instant::now();
    let error = bounded(Keyring::unlock("pharmacy-17", &RootKeys::from(tampering.clone()), stored)).await.unwrap_err();
    let took = started.elapsed();
    assert!(took < DEADLINE + GRACE, "{name}: {took:?}");
    let text = silent(&error);
    tampering.assert_silent(&error);
    assert_eq!(error.is_retryable(), retryable, "{name}: {text}");
    assert_eq!(error.code().as_str(), if retryable { "provider-unavailable" } else { "provider-refused" }, "{name}");
    assert!(text.contains(says), "{name}: {text}");
    assert_eq!(server.count(), requests, "{name}: {text}");
    for request in server.requests() {
        assert_eq!((&*request.method, &*request.path), ("POST", "/v1/transit/decrypt/phi-root"));
        assert_eq!((request.header("x-vault-token"), request.header("x-vault-request")), (Some(TOKEN), Some("true")));
    }
}

/// The server answers well, and with a wrong key.
#[tokio::test(flavor = "multi_thread")]
async fn a_lying_server_unlocks_nothing() {
    let healthy = FaultyServer::start(fake_transit).await;
    let stored = create("pharmacy-17", &roots(&healthy.url()), Suite::default()).await;
    for key in [[7; 32], [0; 32], [0xFF; 32]] {
        let lying = FaultyServer::start(move |_| opened(key)).await;
        let error = bounded(Keyring::unlock("pharmacy-17", &roots(&lying.url()), &stored)).await.unwrap_err();
        assert_eq!((error.code().as_str(), lying.count()), ("unlock-failed", 1));
        silent(&error);
    }
    // Nothing is stored that it could not open.
    let lying = FaultyServer::start(|request| match &*request.path {
        "/v1/transit/decrypt/phi-root" if request.number > 1 => opened([7; 32]),
        _ => fake_transit(request),
    });
    let error = bounded(rxseal::testing::create_keyring("pharmacy-17", &roots(&lying.await.url()), Suite::default()))
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "unlock-failed");
}

/// No KEK goes to a server that would not bind it to its context.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_bind_gets_no_kek() {
    type Script = fn(&Request) -> Reply;
    let wraps_as = |ciphertext: String| Reply::json(200, &json!({"data": {"ciphertext": ciphertext}}));
    let cases: [(&str, Script, bool, &str); 7] = [
        ("ignores associated data", unbound_transit, false, "bind associated data"),
        ("not an AEAD", |_| status(400, "'[0].associated_data' provided for non-AEAD cipher suite"), false, "bind"),
        ("a KV engine", |_| Reply::http(204, ""), false, "not a Transit engine"),
        ("derived", |_| status(400, "missing 'context' for key derivation"), false, "derived"),
        ("an answer of decrypt", |_| opened([0; 32]), true, "not from Vault"),
        ("no wrap", |_| Reply::json(200, &json!({"data": {"ciphertext": "hello"}})), true, "not from Vault"),
        ("no right to decrypt", encrypt_only, false, "transit/decrypt/phi-root`"),
    ];
    for (name, script, retryable, says) in cases {
        let server = FaultyServer::start(script).await;
        let error = refused_create(&roots(&server.url())).await;
        let text = silent(&error);
        assert!(text.contains(says) && error.is_retryable() == retryable, "{name}: {text}");
        for request in server.requests().iter().filter(|request| request.path.contains("/encrypt/")) {
            assert_eq!(request.json()["plaintext"], STANDARD.encode([0; 32]), "{name}: what is sent is no secret");
        }
    }
    // A wrap that no keyring file would take.
    let huge = wraps_as(format!("vault:v1:{}", "A".repeat(8192)));
    let server = FaultyServer::start(move |_| huge.clone()).await;
    silent(&refused_create(&roots(&server.url())).await);
}

/// Texts are not part of Vault's promises: another one than known changes the error's text and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_other_versions() {
    let cases = [("invalid ciphertext: unable to decrypt", "was changed"), ("does not open", "audit log")];
    for (words, says) in cases {
        let in_other_words = move |request: &Request| match fake_transit(request) {
            Reply::Http { status: 400, .. } => status(400, words),
            reply => reply,
        };
        let server = FaultyServer::start(in_other_words).await;
        let stored = create("pharmacy-17", &roots(&server.url()), Suite::default()).await;
        let changed = change_wraps(&stored, |wrap| wrap[30] = if wrap[30] == b'A' { b'B' } else { b'A' });
        let error = bounded(Keyring::unlock("pharmacy-17", &roots(&server.url()), &changed)).await.unwrap_err();
        assert!(!error.is_retryable() && silent(&error).contains(says), "{}", silent(&error));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_passes_is_not_noticed() {
    let healthy = FaultyServer::start(fake_transit).await;
    let stored = create("pharmacy-17", &roots(&healthy.url()), Suite::default()).await;
    for first in [status(503, "Vault is sealed"), Reply::Reset, Reply::Close, Reply::Hang, status(429, "")] {
        let server = FaultyServer::start(move |request| match request.number {
            0 => first.clone(),
            _ => fake_transit(request),
        })
        .await;
        bounded(Keyring::unlock("pharmacy-17", &roots(&server.url()), &stored)).await.map(drop).unwrap();
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there() {
    let healthy = FaultyServer::start(fake_transit).await;
    let stored = create("pharmacy-17", &roots(&healthy.url()), Suite::default()).await;
    let nobody = refused_url().await;
    for address in [nobody.clone(), nobody.replace("http", "https"), "https://no-such-host.invalid:8200".to_owned()] {
        let started = Instant::now();
        let error = bounded(Keyring::unlock("pharmacy-17", &roots(&address), &stored)).await.unwrap_err();
        assert!(error.is_retryable() && started.elapsed() < DEADLINE + GRACE, "{address}");
        assert!(silent(&error).contains("cannot connect") || silent(&error).contains("in time"), "{}", silent(&error));
    }
    // The other root key is asked nevertheless.
    let both = roots(&nobody).and(builder(&healthy.url()).build().unwrap());
    bounded(Keyring::unlock("pharmacy-17", &both, &stored)).await.map(drop).unwrap();
    // TLS spoken to a server without it.
    let error = bounded(Keyring::unlock("pharmacy-17", &roots(&healthy.url().replace("http", "https")), &stored))
        .await
        .unwrap_err();
    silent(&error);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_logging_in() {
    let healthy = FaultyServer::start(fake_transit).await;
    let stored = create("pharmacy-17", &roots(&healthy.url()), Suite::default()).await;
    let no_token = json!({"auth": {"client_token": "a b", "lease_duration": 60}});
    let faults = [
        lasting("login 400", status(400, "invalid role or secret ID"), "secret id"),
        lasting("login 403", status(403, "permission denied"), "auth method is mounted"),
        lasting("login 404", status(404, "no handler for route"), "nothing is mounted"),
        lasting("login 204", Reply::http(204, ""), "status 204"),
        lasting("login 307", redirect(307, &healthy.url()), "redirect"),
        lasting("login endless", Reply::Endless, "too large"),
        passing("login 429", status(429, ""), "rate"),
        passing("login 503", status(503, "Vault is sealed"), "unseal it"),
        passing("login reset", Reply::Reset, "broke"),
        passing("login HTML", Reply::http(200, "<html>"), "not from Vault"),
        passing("login without auth", Reply::json(200, &json!({"auth": null})), "not from Vault"),
        passing("login with no token", Reply::json(200, &no_token), "not from Vault"),
        Fault { requests: 2, ..passing("login hangs", Reply::Hang, "in time") },
    ];
    for Fault { name, reply, retryable, requests, says } in faults {
        let server = FaultyServer::start(move |_| reply.clone()).await;
        let started = Instant::now();
        let error = bounded(Keyring::unlock("pharmacy-17", &app_role_roots(&server.url()), &stored)).await.unwrap_err();
        assert!(started.elapsed() < DEADLINE + GRACE, "{name}");
        let text = silent(&error);
        assert!(text.contains(says) && error.is_retryable() == retryable, "{name}: {text}");
        assert_eq!(server.count(), requests, "{name}: {text}");
        for request in server.requests() {
            assert_eq!((&*request.path, request.header("x-vault-token")), ("/v1/auth/approle/login", None));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_shared() {
    let healthy = FaultyServer::start(fake_transit).await;
    let stored = create("pharmacy-17", &roots(&healthy.url()), Suite::default()).await;
    let is_login = |request: &Request| request.path.ends_with("/login");
    let logins = |server: &FaultyServer| server.requests().iter().filter(|request| is_login(request)).count();

    // A failed one too.
    let refusing = FaultyServer::start(|_| Reply::Late(Duration::from_millis(200), Box::new(status(400, "")))).await;
    let roots = app_role_roots(&refusing.url());
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let (roots, stored) = (roots.clone(), stored.clone());
            tokio::spawn(async move { Keyring::unlock("pharmacy-17", &roots, &stored).await.map(drop) })
        })
        .collect();
    for call in calls {
        assert!(silent(&bounded(call).await.unwrap().unwrap_err()).contains("secret id"));
    }
    assert_eq!(refusing.count(), 1);

    // A token that was good once and is no more, for many at once: one login for all of them.
    let server = FaultyServer::start(|request| match request.header("x-vault-token") {
        Some("s.login-0") if request.number > 2 => status(403, "permission denied"),
        None => logged_in(request),
        Some(_) => fake_transit(request),
    })
    .await;
    let roots = app_role_roots(&server.url());
    unlock_many(&roots, "pharmacy-17", &stored, 1).await;
    unlock_many(&roots, "pharmacy-17", &stored, 1).await;
    unlock_many(&roots, "pharmacy-17", &stored, 32).await;
    assert_eq!(logins(&server), 2);

    // A token that is never good: two logins for a call that had an old one, and no loop.
    let server = FaultyServer::start(|request| match request.number {
        0 => logged_in(request),
        1 => fake_transit(request),
        _ if request.path.ends_with("/login") => logged_in(request),
        _ => status(403, "permission denied"),
    })
    .await;
    let roots = app_role_roots(&server.url());
    unlock_many(&roots, "pharmacy-17", &stored, 1).await;
    let error = bounded(Keyring::unlock("pharmacy-17", &roots, &stored)).await.unwrap_err();
    assert!(!error.is_retryable() && silent(&error).contains("expired"));
    assert_eq!((logins(&server), server.count()), (2, 5));

    // A caller that goes away during the login does not take it from the others for ever.
    let server = FaultyServer::start(|request| match request.number {
        0 => Reply::Hang,
        _ if request.path.ends_with("/login") => logged_in(request),
        _ => fake_transit(request),
    })
    .await;
    let roots = app_role_roots(&server.url());
    let gone = Keyring::unlock("pharmacy-17", &roots, &stored);
    drop(tokio::time::timeout(Duration::from_millis(100), gone).await);
    unlock_many(&roots, "pharmacy-17", &stored, 8).await;
    assert_eq!(logins(&server), 2);
}

/// The fake below is a Vault as far as these tests go.
#[tokio::test(flavor = "multi_thread")]
async fn the_fake_conforms() {
    let server = FaultyServer::start(fake_transit).await;
    let root =
        |key| -> Arc<dyn RootKey> { Arc::new(VaultKey::builder(server.url(), key).token(TOKEN).build().unwrap()) };
    rxseal_conformance::root_key(root("one"), root("other")).await.unwrap().check_strict().unwrap();
}

#[test]
fn without_a_runtime_it_says_so() {
    let roots = roots("http://127.0.0.1:1");
    let error =
        rxseal::run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, Suite::default())).unwrap_err();
    assert_eq!(error.code().as_str(), "runtime-needed");
}

fn builder(address: &str) -> VaultKeyBuilder {
    VaultKey::builder(address, "phi-root").token(TOKEN).deadline(DEADLINE)
}

fn roots(address: &str) -> RootKeys {
    RootKeys::from(builder(address).build().unwrap())
}

fn app_role_roots(address: &str) -> RootKeys {
    RootKeys::from(builder(address).app_role("role", SECRET_ID).build().unwrap())
}

async fn refused_create(roots: &RootKeys) -> Error {
    bounded(rxseal::testing::create_keyring("pharmacy-17", roots, Suite::default())).await.unwrap_err()
}

/// The error's text with its causes: one line without a token, a secret id, a wrap or what the server said.
fn silent(error: &Error) -> String {
    let text = format!("{error}{}", chain(error));
    let all = format!("{text} {error:?} {:?}", std::error::Error::source(error));
    for secret in [TOKEN, SECRET_ID, "s.login-", "vault:v", "permission denied", "html"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    assert!(!text.contains('\n'), "{text}");
    text
}

fn logged_in(request: &Request) -> Reply {
    assert_eq!(request.json(), json!({"role_id": "role", "secret_id": SECRET_ID}));
    let token = format!("s.login-{}", request.number);
    Reply::json(200, &json!({"data": null, "auth": {"client_token": token, "lease_duration": 3600, "renewable": true}}))
}

/// A Transit engine that binds: its wrap is what it was given, with a sum over it.
fn fake_transit(request: &Request) -> Reply {
    let body = request.json();
    let key = request.path.rsplit('/').next().unwrap();
    let Some(wrapped) = body["ciphertext"].as_str() else {
        let content = json!([key, body["associated_data"], body["plaintext"], request.number]).to_string();
        let ciphertext = STANDARD.encode(format!("{:016x}{content}", sum(&content)));
        return Reply::json(200, &json!({"data": {"ciphertext": format!("vault:v1:{ciphertext}")}}));
    };
    fake_opened(key, wrapped, &body["associated_data"])
        .unwrap_or_else(|| status(400, "cipher: message authentication failed"))
}

fn fake_opened(key: &str, wrapped: &str, associated_data: &Value) -> Option<Reply> {
    let text = String::from_utf8(STANDARD.decode(wrapped.strip_prefix("vault:v1:")?).ok()?).ok()?;
    let (found, content) = text.split_at_checked(16)?;
    let values: Value = serde_json::from_str(content).ok()?;
    let genuine = found == format!("{:016x}", sum(content)) && values[0] == key && values[1] == *associated_data;
    genuine.then(|| Reply::json(200, &json!({"request_id": "x", "data": {"plaintext": values[2]}, "warnings": null})))
}

fn sum(content: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// As servers before Vault 1.9 are: what they do not know, they ignore.
fn unbound_transit(request: &Request) -> Reply {
    match request.json()["ciphertext"].is_string() {
        true => opened([0; 32]),
        false => fake_transit(request),
    }
}

fn encrypt_only(request: &Request) -> Reply {
    match request.json()["ciphertext"].is_string() {
        true => status(403, "1 error occurred:\n\t* permission denied\n\n"),
        false => fake_transit(request),
    }
}
