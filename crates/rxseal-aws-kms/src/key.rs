//! A root key in AWS KMS.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{EncryptionAlgorithmSpec, KeyMetadata, KeySpec, KeyState, KeyUsageType};
use rxseal::Error;
use rxseal::provider::{Kek, KekContext, ProviderFuture, within};
use rxseal::root::RootKey;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use zeroize::Zeroizing;

use crate::credentials::with_first_credentials;
use crate::endpoint::{NoClearText, refuse_clear_text};
use crate::failure::{Failure, Operation, Problem};
use crate::key_arn::{KeyArn, KeyName};

const DEADLINE: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
/// For finding a region and credentials, once. This may assume a role or run a program.
const SETUP_DEADLINE: Duration = Duration::from_secs(15);

/// A symmetric encryption key of AWS KMS. Its key material never leaves AWS.
///
/// ```no_run
/// # async fn start(stored: &rxseal::keys::KeyringFile) -> Result<(), rxseal::Error> {
/// use rxseal::Keyring;
/// use rxseal::root::RootKeys;
/// use rxseal_aws_kms::AwsKmsKey;
///
/// let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// let roots = RootKeys::from(AwsKmsKey::connect(arn).await?);
/// let keys = Keyring::unlock("pharmacy-17", &roots, stored).await?.unobserved();
/// # Ok(())
/// # }
/// ```
///
/// # Rights
///
/// A service that unlocks keyrings needs `kms:Decrypt` on the key, and nothing else. Whoever creates or rewraps
/// keyrings also needs `kms:Encrypt`. `kms:DescribeKey` is needed only if you name the key by an alias or an id. A
/// policy can test the encryption context in its conditions: `kms:EncryptionContext:rxseal:keyspace` limits a role to
/// one keyspace.
///
/// # Calls
///
/// Unlocking a keyring takes one `Decrypt`. Sealing and opening take no call. Creating a keyring takes one `Encrypt`
/// and one `Decrypt`, which verifies the wrap. AWS charges for each call and counts it against the account's quota in
/// the region, so unlock once when a process starts and not for each request.
///
/// A call, with all its attempts, ends within [`deadline`](Self::deadline). Only failures that may pass are tried
/// again, after a random pause that grows. A denied call is not.
///
/// # Multi-region keys
///
/// Keyring files name a key whose id begins with `mrk-` without its region, and any replica unlocks what another
/// replica wrapped. So give the replica in the program's own region first, and a replica in another region second, in
/// case the first is lost. All replicas are one root key: the first that answers wraps, and each can unwrap.
///
/// # What AWS sees
///
/// AWS sees the KEK. It also sees the keyspace and the KEK's fingerprint, as the encryption context, and writes both to
/// its audit trail: never use a patient's name as a keyspace. Every answer must name the key that was asked, and the
/// KEK must match its fingerprint.
///
/// # What is not wiped
///
/// This crate wipes the KEK. It cannot wipe the AWS SDK's own buffers, which hold the KEK as base64 in HTTP over TLS.
/// The SDK's log leaves the KEK out at the level TRACE, but it can be told to show whole requests
/// (`LOG_SIGNABLE_BODY`), so this crate turns logging off for `Encrypt`.
#[derive(Clone)]
pub struct AwsKmsKey {
    client: Client,
    config: SdkConfig,
    key: KeyArn,
    deadline: Duration,
    attempts: u32,
}

impl AwsKmsKey {
    /// The key with this ARN, alias (`alias/NAME` or its ARN) or id. Uses the configuration and the credentials that
    /// AWS tools share: environment, profile, SSO, container or instance role.
    ///
    /// An ARN names its region. The ARN of a key is used as it is. An alias or an id is looked up once, here, and the
    /// key that it leads to now is the one that is used and named in keyring files.
    ///
    /// # Errors
    ///
    /// - `invalid-root-key` if `key` does not name a key, if no region is known, or if `AWS_ENDPOINT_URL` or a variable
    ///   like it is `http://` to another machine: the KEK would travel in clear.
    /// - `provider-refused` if there are no credentials, a right is missing, or the key that was looked up does not
    ///   exist, is not for symmetric encryption, is disabled or is about to be deleted.
    /// - `provider-unavailable` if AWS cannot be reached.
    /// - `runtime-needed` outside of a tokio runtime.
    ///
    /// The text of the [`source`](std::error::Error::source) says what to do.
    pub async fn connect(key: &str) -> Result<Self, Error> {
        let named = KeyName::parse(key)?;
        let setup = async {
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(region) = named.region() {
                loader = loader.region(Region::new(region.to_owned()));
            }
            let config = loader.load().await;
            // The same address may also give the credentials.
            refuse_clear_text(&config)?;
            with_first_credentials(config).await.map_err(|problem| not_connected(key, problem))
        };
        let late = || not_connected(key, Problem::CredentialsUnavailable);
        let config = within(SETUP_DEADLINE, Box::pin(setup), late).await?;
        Self::open(config, named).await
    }

    /// Like [`connect`](Self::connect), with a configuration of your own. Its retries and timeouts are replaced.
    ///
    /// # Errors
    ///
    /// The same as [`connect`](Self::connect).
    pub async fn with_config(config: &SdkConfig, key: &str) -> Result<Self, Error> {
        let named = KeyName::parse(key)?;
        Self::open(config.clone(), named).await
    }

    /// The time that a call may take with all its attempts. The default is 5 seconds. Each attempt may take its share.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        let client = client(&self.config, deadline, self.attempts);
        Self { client, deadline, ..self }
    }

    /// How many times a call is tried. The default is 3, the least is 1.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        let attempts = attempts.max(1);
        let client = client(&self.config, self.deadline, attempts);
        Self { client, attempts, ..self }
    }

    async fn open(config: SdkConfig, named: KeyName) -> Result<Self, Error> {
        refuse_clear_text(&config)?;
        let region = named.region().map(|region| Region::new(region.to_owned())).or_else(|| config.region().cloned());
        let region = region.ok_or_else(|| {
            Error::invalid_root_key("its AWS region is not known: name it by its ARN, or set AWS_REGION")
        })?;
        let config = config.into_builder().region(region.clone()).build();
        let client = client(&config, DEADLINE, ATTEMPTS);
        let key = match named {
            KeyName::Arn(arn) => arn,
            KeyName::AnyRegion(name) => name.in_region(region.as_ref()).ok_or_else(|| {
                Error::invalid_root_key(
                    "the configured AWS region is not a valid name: set AWS_REGION to one such as eu-west-1",
                )
            })?,
            KeyName::ToResolve { text, .. } => resolve(&client, &text).await?,
        };
        Ok(Self { client, config, key, deadline: DEADLINE, attempts: ATTEMPTS })
    }

    async fn encrypt(&self, kek: &Kek, context: KekContext<'_>) -> Result<Vec<u8>, Error> {
        let call = self
            .client
            .encrypt()
            .key_id(self.key.full())
            .encryption_algorithm(EncryptionAlgorithmSpec::SymmetricDefault)
            .set_encryption_context(Some(encryption_context(context)))
            .plaintext(Blob::new(kek.expose_bytes().as_slice()))
            .send()
            // With `LOG_SIGNABLE_BODY` the SDK would log the request, which holds the KEK.
            .with_subscriber(NoSubscriber::default());
        let answer = ask(Operation::Encrypt, self.key.full(), self.deadline, call).await?;
        self.check_answered(Operation::Encrypt, answer.key_id())?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).filter(|wrapped| !wrapped.is_empty());
        wrapped.ok_or_else(|| self.failed(Operation::Encrypt, Problem::Garbled))
    }

    async fn decrypt(&self, wrapped: &[u8], context: KekContext<'_>) -> Result<Kek, Error> {
        let call = self
            .client
            .decrypt()
            .key_id(self.key.full())
            .encryption_algorithm(EncryptionAlgorithmSpec::SymmetricDefault)
            .set_encryption_context(Some(encryption_context(context)))
            .ciphertext_blob(Blob::new(wrapped))
            .send();
        let mut answer = ask(Operation::Decrypt, self.key.full(), self.deadline, call).await?;
        let plain = answer.plaintext.take().map(|blob| Zeroizing::new(blob.into_inner()));
        self.check_answered(Operation::Decrypt, answer.key_id())?;
        let plain = plain.ok_or_else(|| self.failed(Operation::Decrypt, Problem::Garbled))?;
        if plain.len() != 32 {
            return Err(self.failed(Operation::Decrypt, Problem::WrongLength));
        }
        let kek = Kek::from_bytes(&plain)?;
        Ok(match answer.request_id() {
            Some(id) => kek.with_request_id(id),
            None => kek,
        })
    }

    /// Without the key's name KMS would choose the key that the wrap names, and so would an attacker who wrote the
    /// wrap.
    fn check_answered(&self, operation: Operation, answered: Option<&str>) -> Result<(), Error> {
        match answered {
            Some(answered) if self.key.is_same_key(answered) => Ok(()),
            Some(_) => Err(self.failed(operation, Problem::OtherKeyAnswered)),
            None => Err(self.failed(operation, Problem::Garbled)),
        }
    }

    fn failed(&self, operation: Operation, problem: Problem) -> Error {
        Failure::new(operation, self.key.full(), problem).into()
    }
}

impl RootKey for AwsKmsKey {
    fn provider(&self) -> &'static str {
        "aws-kms"
    }

    fn name(&self) -> &str {
        self.key.name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(self.encrypt(kek, context))
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(self.decrypt(wrapped, context))
    }
}

impl fmt::Debug for AwsKmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsKmsKey({})", self.key.full())
    }
}

pub(crate) fn client(config: &SdkConfig, deadline: Duration, attempts: u32) -> Client {
    // Each attempt has its share of the time, so that one that hangs leaves time for the next.
    let share = deadline.checked_div(attempts).unwrap_or(deadline);
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(deadline)
        .operation_attempt_timeout(share)
        .connect_timeout(share)
        .build();
    let pause = deadline.checked_div(50).unwrap_or(deadline);
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(pause)
        .with_max_backoff(pause.saturating_mul(8));
    // A retry quota of its own, which failures elsewhere in the program do not use up.
    let partition = RetryPartition::custom("rxseal").token_bucket(TokenBucket::default()).build();
    let config = aws_sdk_kms::config::Builder::from(config)
        .timeout_config(timeouts)
        .retry_config(retries)
        .retry_partition(partition)
        .interceptor(NoClearText)
        // The client panics if a configuration made by hand does not set it.
        .behavior_version(config.behavior_version().unwrap_or_else(BehaviorVersion::latest));
    Client::from_conf(config.build())
}

fn not_connected(key: &str, problem: Problem) -> Error {
    Failure::new(Operation::Decrypt, key, problem).into()
}

/// The key that an alias or an id leads to.
pub(crate) async fn resolve(client: &Client, text: &str) -> Result<KeyArn, Error> {
    let call = client.describe_key().key_id(text).send();
    let answer = ask(Operation::DescribeKey, text, DEADLINE, call).await?;
    let failed = |problem| Error::from(Failure::new(Operation::DescribeKey, text, problem));
    let metadata = answer.key_metadata().ok_or_else(|| failed(Problem::Garbled))?;
    check_usable(metadata).map_err(failed)?;
    metadata.arn().and_then(KeyArn::parse).ok_or_else(|| failed(Problem::Garbled))
}

fn check_usable(metadata: &KeyMetadata) -> Result<(), Problem> {
    if metadata.key_usage() != Some(&KeyUsageType::EncryptDecrypt)
        || metadata.key_spec() != Some(&KeySpec::SymmetricDefault)
    {
        return Err(Problem::KeyUsage);
    }
    match metadata.key_state() {
        Some(KeyState::Enabled | KeyState::Updating) => Ok(()),
        Some(KeyState::Disabled) => Err(Problem::KeyDisabled),
        Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => Err(Problem::KeyPendingDeletion),
        Some(KeyState::PendingImport) => Err(Problem::KeyPendingImport),
        Some(KeyState::Unavailable | KeyState::Creating) => Err(Problem::KeyUnavailable),
        _ => Err(Problem::KeyState),
    }
}

/// Awaits a call for a limited time. The error says in one line what went wrong.
async fn ask<T, E>(
    operation: Operation,
    key: &str,
    deadline: Duration,
    call: impl Future<Output = Result<T, SdkError<E>>>,
) -> Result<T, Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let call = async { call.await.map_err(|error| Failure::of_call(operation, key, deadline, &error).into()) };
    // The SDK has the same limit, but it does not hold if one of the program's own components blocks.
    within(deadline, Box::pin(call), || Failure::new(operation, key, Problem::Late(deadline)).into()).await
}

/// The context that KMS binds the wrap to: authenticated, and in clear.
fn encryption_context(context: KekContext<'_>) -> HashMap<String, String> {
    HashMap::from([
        ("rxseal:keyspace".to_owned(), context.keyspace().to_owned()),
        ("rxseal:kek-fingerprint".to_owned(), context.fingerprint_text()),
    ])
}

#[cfg(test)]
mod tests {
    use rxseal::run_local;

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn described() -> aws_sdk_kms::types::builders::KeyMetadataBuilder {
        KeyMetadata::builder()
            .key_id("1234abcd-12ab-34cd-56ef-1234567890ab")
            .key_usage(KeyUsageType::EncryptDecrypt)
            .key_spec(KeySpec::SymmetricDefault)
            .key_state(KeyState::Enabled)
    }

    #[test]
    fn only_a_symmetric_key_that_is_enabled_is_usable() {
        assert_eq!(check_usable(&described().build().unwrap()), Ok(()));
        for (state, problem) in [
            (KeyState::Disabled, Problem::KeyDisabled),
            (KeyState::PendingDeletion, Problem::KeyPendingDeletion),
            (KeyState::PendingReplicaDeletion, Problem::KeyPendingDeletion),
            (KeyState::PendingImport, Problem::KeyPendingImport),
            (KeyState::Unavailable, Problem::KeyUnavailable),
            (KeyState::from("Surprise"), Problem::KeyState),
        ] {
            assert_eq!(check_usable(&described().key_state(state).build().unwrap()), Err(problem));
        }
        for other in [
            described().key_usage(KeyUsageType::SignVerify),
            described().key_usage(KeyUsageType::GenerateVerifyMac),
            described().key_spec(KeySpec::Rsa4096),
            described().set_key_spec(None),
            described().set_key_usage(None),
        ] {
            assert_eq!(check_usable(&other.build().unwrap()), Err(Problem::KeyUsage));
        }
    }

    #[test]
    fn the_context_names_keyspace_and_fingerprint() {
        let context = encryption_context(KekContext::new("pharmacy-17", &[0xFF; 32]).unwrap());
        assert_eq!(context.len(), 2);
        assert_eq!(context["rxseal:keyspace"], "pharmacy-17");
        assert_eq!(context["rxseal:kek-fingerprint"], "__________________________________________8");
    }

    /// A configuration that says nothing must not make the SDK panic.
    #[test]
    fn an_empty_configuration_is_enough_for_an_arn() {
        let config = SdkConfig::builder().build();
        let key = run_local(AwsKmsKey::with_config(&config, KEY)).unwrap().deadline(Duration::ZERO).attempts(0);
        assert_eq!((key.provider(), key.name(), key.attempts), ("aws-kms", KEY, 1));
        assert_eq!(format!("{key:?}"), format!("AwsKmsKey({KEY})"));
        let error = run_local(AwsKmsKey::with_config(&config, "alias/phi-root")).unwrap_err();
        assert_eq!(error.code().as_str(), "invalid-root-key");
        assert!(error.to_string().contains("AWS_REGION"), "{error}");
    }

    #[test]
    fn without_a_runtime_it_says_so() {
        let key = run_local(AwsKmsKey::with_config(&SdkConfig::builder().build(), KEY)).unwrap();
        let kek = Kek::from_bytes(&[7; 32]).unwrap();
        let context = KekContext::new("pharmacy-17", &[7; 32]).unwrap();
        assert_eq!(run_local(key.wrap_kek(&kek, context)).unwrap_err().code().as_str(), "runtime-needed");
        assert_eq!(run_local(key.unwrap_kek(&[1], context)).unwrap_err().code().as_str(), "runtime-needed");
        assert_eq!(run_local(AwsKmsKey::connect(KEY)).unwrap_err().code().as_str(), "runtime-needed");
    }
}
