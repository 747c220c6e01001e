//! `AwsKmsKey` against servers that behave like AWS KMS. moto binds the encryption context and refuses changed wraps.
//! ministack models the states of keys but returns wrong keys for some changed wraps: it is the lying KMS.
//!
//! `.ci/servers` starts both and passes their addresses on. By hand:
//!
//! ```text
//! pip install 'moto[server]==5.2.5' 'ministack==1.5.33'
//! moto_server -H 127.0.0.1 -p 5555
//! BIND_HOST=127.0.0.1 GATEWAY_PORT=4566 SERVICES=kms,sts ministack
//! export RXSEAL_TEST_MOTO=http://127.0.0.1:5555 RXSEAL_TEST_MINISTACK=http://127.0.0.1:4566
//! cargo test -p rxseal-tests-live aws_kms -- --ignored --nocapture
//! ```

use std::error::Error as _;
use std::process::Command;
use std::sync::Arc;

use crate::faulty::{FaultyServer, Reply};
use crate::root_keys::{Shared, bounded, chain, create, unlock};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use rxseal::keys::Suite;
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Error, Keyring};
use rxseal_aws_kms::AwsKmsKey;

const REGION: &str = "us-east-1";

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("set {variable}: the head of {} says how", file!()))
}

fn moto() -> String {
    server("RXSEAL_TEST_MOTO")
}

fn ministack() -> String {
    server("RXSEAL_TEST_MINISTACK")
}

fn config(endpoint: &str, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .build()
}

/// An administrator of keys.
struct Admin {
    endpoint: String,
    client: Client,
}

impl Admin {
    fn of(endpoint: &str, region: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), client: Client::new(&config(endpoint, region)) }
    }

    /// The ARN of a new key. The usage is the default one, but moto answers null where it was not asked for.
    async fn key(&self) -> String {
        self.client
            .create_key()
            .key_usage(KeyUsageType::EncryptDecrypt)
            .send()
            .await
            .unwrap()
            .key_metadata
            .unwrap()
            .arn
            .unwrap()
    }

    async fn root(&self, key: &str) -> Result<AwsKmsKey, Error> {
        AwsKmsKey::with_config(&config(&self.endpoint, REGION), key).await
    }

    async fn shared(&self) -> Arc<dyn RootKey> {
        Arc::new(self.root(&self.key().await).await.unwrap())
    }
}

fn cause(error: &Error) -> String {
    error.source().unwrap_or_else(|| panic!("{error:?} has no cause")).to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn moto_conforms() {
    let admin = Admin::of(&moto(), REGION);
    let found = rxseal_conformance::root_key(admin.shared().await, admin.shared().await).await.unwrap();
    println!("moto: {found:#?}");
    found.check_strict().unwrap();
    assert!(found.wraps_differ && found.changed > 60);
}

/// It gives a key for some of the wraps that were changed. None of them unlocks anything.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn ministack_lies_and_is_caught() {
    let admin = Admin::of(&ministack(), REGION);
    let found = rxseal_conformance::root_key(admin.shared().await, admin.shared().await).await.unwrap();
    println!("ministack: {found:#?}");
    println!(
        "ministack: of {} changed wraps it gave a wrong key for {}, and the right one for {}; of {} moved ones a key for {}",
        found.changed, found.changed_but_answered, found.changed_without_effect, found.moved, found.moved_but_answered
    );
    assert!(found.changed_but_answered > 0, "it does not lie any more: this suite needs another liar");
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn an_alias_or_an_id_is_looked_up_once() {
    for endpoint in [moto(), ministack()] {
        let admin = Admin::of(&endpoint, REGION);
        let (key, other) = (admin.key().await, admin.key().await);
        let alias = format!("alias/rxseal-{}", key.rsplit('/').next().unwrap());
        admin.client.create_alias().alias_name(&alias).target_key_id(&key).send().await.unwrap();
        let alias_arn = key.replace(&key[key.find("key/").unwrap()..], &alias);
        for name in [&*alias, &alias_arn, key.rsplit('/').next().unwrap()] {
            let root = admin.root(name).await.unwrap();
            assert_eq!((root.provider(), root.name()), ("aws-kms", &*key), "{name} at {endpoint}");
        }
        // The keyring stays with the key that the alias led to.
        let roots = RootKeys::from(admin.root(&alias).await.unwrap());
        let stored = create("pharmacy-17", &roots, Suite::default()).await;
        admin.client.update_alias().alias_name(&alias).target_key_id(&other).send().await.unwrap();
        unlock(&roots, &stored).await.unwrap();
        let moved = RootKeys::from(admin.root(&alias).await.unwrap());
        assert_eq!(unlock(&moved, &stored).await.unwrap_err().code().as_str(), "unlock-failed");

        let error = admin.root("alias/rxseal-nobody").await.unwrap_err();
        assert_eq!(error.code().as_str(), "provider-refused");
        assert!(cause(&error).contains("has no key alias/rxseal-nobody"), "{}", cause(&error));
    }
}

/// A full ARN costs no call before the first use, and unlocking is one.
#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn unlocking_is_one_call() {
    let key = Admin::of(&moto(), REGION).key().await;
    let server = FaultyServer::in_front_of(moto().strip_prefix("http://").unwrap(), |_| Reply::PassOn).await;
    let roots = RootKeys::from(AwsKmsKey::with_config(&config(&server.url(), REGION), &key).await.unwrap());
    assert_eq!(server.count(), 0);
    let stored = create("pharmacy-17", &roots, Suite::default()).await;
    assert_eq!(server.count(), 2, "one to wrap and one to verify");
    let keys = Keyring::unlock("pharmacy-17", &roots, &stored).await.unwrap().unobserved();
    assert_eq!(server.count(), 3);
    for id in 0..100 {
        keys.record("prescription", id).unwrap().seal::<rxseal::phi::Drug>("lisinopril").unwrap();
    }
    assert_eq!(server.count(), 3);
    for request in server.requests() {
        let body = request.json();
        assert_eq!(body["KeyId"], *key);
        assert_eq!(body["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
        let context = body["EncryptionContext"].as_object().unwrap();
        assert_eq!(context.len(), 2);
        assert_eq!(context["rxseal:keyspace"], "pharmacy-17");
        assert_eq!(context["rxseal:kek-fingerprint"].as_str().unwrap().len(), 43);
    }
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_replica_of_another_region_unlocks() {
    // Of moto the names alone: it cannot decrypt under a multi-region key, since it cuts the id off at 36 characters.
    for (endpoint, decrypts) in [(moto(), false), (ministack(), true)] {
        let admin = Admin::of(&endpoint, REGION);
        let made =
            admin.client.create_key().key_usage(KeyUsageType::EncryptDecrypt).multi_region(true).send().await.unwrap();
        let primary = made.key_metadata.unwrap().arn.unwrap();
        let id = primary.rsplit('/').next().unwrap();
        assert!(id.starts_with("mrk-"), "{primary}");
        let replicated = admin.client.replicate_key().key_id(id).replica_region("eu-west-1").send().await;
        let replica = replicated.unwrap().replica_key_metadata.unwrap().arn.unwrap();
        assert_eq!(replica, primary.replace(REGION, "eu-west-1"));
        let (here, there) = (admin.root(&primary).await.unwrap(), admin.root(&replica).await.unwrap());
        assert_eq!(here.name(), there.name());
        assert!(!here.name().contains(REGION), "{}", here.name());
        if !decrypts {
            continue;
        }
        let stored = create("pharmacy-17", &RootKeys::from(here.clone()), Suite::default()).await;
        let unlocked = unlock(&RootKeys::from(there.clone()), &stored).await;
        unlocked.unwrap_or_else(|error| panic!("{endpoint}: {error:?}{}", chain(&error)));
        // When a region is lost, the next one is asked.
        let lost = AwsKmsKey::with_config(&config("http://127.0.0.1:1", REGION), &primary).await.unwrap();
        unlock(&RootKeys::from(lost).and(there), &stored).await.unwrap();
        // By the name that stands in the file, and the region of the program.
        let named = AwsKmsKey::with_config(&config(&endpoint, "eu-west-1"), here.name()).await.unwrap();
        assert_eq!(named.name(), here.name());
        unlock(&RootKeys::from(named), &stored).await.unwrap();
    }
}

/// Of the states, ministack models what KMS does with a key that is used; both tell the state when a key is looked up.
#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_disabled_key_and_one_about_to_be_deleted_are_refused() {
    for (endpoint, models_states) in [(moto(), false), (ministack(), true)] {
        let admin = Admin::of(&endpoint, REGION);
        let key = admin.key().await;
        let id = key.rsplit('/').next().unwrap();
        let roots = RootKeys::from(admin.root(&key).await.unwrap());
        let stored = create("pharmacy-17", &roots, Suite::default()).await;

        // Administration by the id, since moto does not find keys by their ARN here.
        admin.client.disable_key().key_id(id).send().await.unwrap();
        let error = admin.root(id).await.unwrap_err();
        assert_eq!(error.code().as_str(), "provider-refused");
        assert!(cause(&error).contains("disabled") && cause(&error).contains("kms:EnableKey"), "{}", cause(&error));
        if models_states {
            let error = unlock(&roots, &stored).await.unwrap_err();
            assert!(!error.is_retryable() && cause(&error).contains("disabled"), "{}", cause(&error));
        }
        admin.client.enable_key().key_id(id).send().await.unwrap();
        unlock(&roots, &stored).await.unwrap();

        admin.client.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.unwrap();
        let error = admin.root(id).await.unwrap_err();
        assert!(cause(&error).contains("kms:CancelKeyDeletion"), "{}", cause(&error));
        if models_states {
            let error = unlock(&roots, &stored).await.unwrap_err();
            assert!(!error.is_retryable() && cause(&error).contains("kms:CancelKeyDeletion"), "{}", cause(&error));
        }
        admin.client.cancel_key_deletion().key_id(id).send().await.unwrap();
        admin.client.enable_key().key_id(id).send().await.unwrap();
        unlock(&roots, &stored).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_key_for_something_else_is_refused() {
    for endpoint in [moto(), ministack()] {
        let admin = Admin::of(&endpoint, REGION);
        for (usage, spec) in
            [(KeyUsageType::SignVerify, KeySpec::Rsa2048), (KeyUsageType::EncryptDecrypt, KeySpec::Rsa2048)]
        {
            let made = admin.client.create_key().key_usage(usage).key_spec(spec).send().await.unwrap();
            let error = admin.root(&made.key_metadata.unwrap().key_id).await.unwrap_err();
            assert_eq!(error.code().as_str(), "provider-refused");
            assert!(cause(&error).contains("SYMMETRIC_DEFAULT"), "{}", cause(&error));
        }
    }
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_key_that_is_not_there_is_named() {
    for endpoint in [moto(), ministack()] {
        let admin = Admin::of(&endpoint, REGION);
        let key = admin.key().await;
        let id = key.rsplit('/').next().unwrap();
        let gone = key.replace(id, "00000000-0000-4000-8000-000000000000");
        let roots = RootKeys::from(admin.root(&gone).await.unwrap());
        let error = rxseal::testing::create_keyring("pharmacy-17", &roots, Suite::default()).await.unwrap_err();
        assert_eq!(error.code().as_str(), "provider-refused");
        assert!(cause(&error).contains(&format!("has no key {gone}")), "{}", cause(&error));
    }
}

/// `connect` reads the environment, which a test cannot change: so a child is given one.
#[test]
#[ignore = "needs .ci/servers"]
fn connect_reads_what_aws_tools_share() {
    let folder = std::env::temp_dir().join(format!("rxseal-live-aws-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let profile = folder.join("credentials");
    std::fs::write(
        &profile,
        "[operator]\naws_access_key_id = test\naws_secret_access_key = test\nregion = us-east-1\n",
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let admin = Admin::of(&moto(), REGION);
    let key = runtime.block_on(admin.key());
    let nowhere = folder.join("nothing-here");
    let child = |key: &str, settings: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "--nocapture", "aws_kms::child_connects"]).env_clear();
        command
            .env("RXSEAL_TEST_KEY", key)
            .env("AWS_ENDPOINT_URL_KMS", moto())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .find_map(|line| line.split_once("outcome: "))
            .map(|(_, outcome)| outcome.to_owned())
            .unwrap_or(text)
    };
    let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    assert_eq!(child(&key, &keys), format!("unlocked with {key}"));
    let id = key.rsplit('/').next().unwrap();
    let with_region = [keys[0], keys[1], ("AWS_REGION", REGION)];
    assert_eq!(child(id, &with_region), format!("unlocked with {key}"));
    let profiles = [("AWS_SHARED_CREDENTIALS_FILE", profile.to_str().unwrap()), ("AWS_PROFILE", "operator")];
    assert_eq!(child(&key, &profiles), format!("unlocked with {key}"));
    let process = folder.join("config");
    let made = r#"{"Version":1,"AccessKeyId":"test","SecretAccessKey":"test"}"#;
    std::fs::write(&process, format!("[profile operator]\ncredential_process = echo '{made}'\n")).unwrap();
    let process = [("AWS_CONFIG_FILE", process.to_str().unwrap()), ("AWS_PROFILE", "operator")];
    assert_eq!(child(&key, &process), format!("unlocked with {key}"));

    assert!(child(id, &keys).starts_with("invalid-root-key"), "{}", child(id, &keys));
    let outcome = child(&key, &[]);
    assert!(outcome.starts_with("provider-refused") && outcome.contains("no AWS credentials"), "{outcome}");
    let outcome = child(&key, &[("AWS_PROFILE", "nobody")]);
    assert!(outcome.starts_with("provider-refused") && outcome.contains("no AWS credentials"), "{outcome}");
    let broken = folder.join("broken");
    std::fs::write(
        &broken,
        "[profile operator]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = nobody\n",
    )
    .unwrap();
    let outcome = child(&key, &[("AWS_CONFIG_FILE", broken.to_str().unwrap()), ("AWS_PROFILE", "operator")]);
    assert!(outcome.starts_with("provider-refused") && outcome.contains("~/.aws/config"), "{outcome}");
    let failing = folder.join("failing");
    std::fs::write(&failing, "[profile operator]\ncredential_process = exit 7\n").unwrap();
    let outcome = child(&key, &[("AWS_CONFIG_FILE", failing.to_str().unwrap()), ("AWS_PROFILE", "operator")]);
    assert!(outcome.starts_with("provider-unavailable") && outcome.contains("aws sso login"), "{outcome}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Not a test by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn child_connects() {
    let Ok(key) = std::env::var("RXSEAL_TEST_KEY") else { return };
    let outcome = async {
        let root = bounded(AwsKmsKey::connect(&key)).await?;
        let name = root.name().to_owned();
        let roots = RootKeys::from(root);
        let stored = rxseal::testing::create_keyring("pharmacy-17", &roots, Suite::default()).await?;
        unlock(&roots, &stored).await?;
        Ok::<_, Error>(format!("unlocked with {name}"))
    };
    let outcome = outcome.await.unwrap_or_else(|error| format!("{}: {error}{}", error.code().as_str(), chain(&error)));
    println!("\noutcome: {outcome}");
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn root_keys_of_two_servers() {
    let (moto, ministack) = (Admin::of(&moto(), REGION), Admin::of(&ministack(), REGION));
    let (one, other) = (moto.shared().await, ministack.shared().await);
    let both = RootKeys::from(Shared(one)).and(Shared(other.clone()));
    let stored = create("pharmacy-17", &both, Suite::default()).await;
    assert_eq!(stored.wraps().count(), 2);
    unlock(&RootKeys::from(Shared(other)), &stored).await.unwrap();
}
