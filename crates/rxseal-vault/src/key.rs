//! Root keys in the Transit engine of HashiCorp Vault or OpenBao.
//!
//! Over reqwest rather than the crate vaultrs (0.8, looked at): that one shows the token in `Debug`, keeps it and the
//! bodies of requests in memory that is not wiped, follows redirects with the token, takes settings from the environment that
//! nobody asked for, and has neither deadlines nor retries. Of the API two calls and a login are needed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use rxseal::Error;
use rxseal::provider::{Kek, KekContext, ProviderFuture, need_runtime};
use rxseal::root::RootKey;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::failure::{Failure, Problem};
use crate::message;
use crate::transport::Call;

/// A root key in the Transit engine of HashiCorp Vault or OpenBao.
///
/// Unlocking a keyring takes one call of `transit/decrypt`. The key never leaves the server; the KEK travels over TLS.
///
/// ```no_run
/// use rxseal::Keyring;
/// use rxseal::root::RootKeys;
/// use rxseal_vault::VaultKey;
/// # async fn example(stored: &rxseal::keys::KeyringFile) -> Result<(), rxseal::Error> {
/// let root = VaultKey::builder("https://vault.pharmacy.example:8200", "phi-root")
///     .ca_certificate_pem(std::fs::read("/etc/pharmacy/vault-ca.pem").unwrap())
///     .app_role("f8e5…", std::env::var("VAULT_SECRET_ID").unwrap())
///     .build()?;
/// let keys = Keyring::unlock("pharmacy-17", &RootKeys::from(root), stored).await?.unobserved();
/// # Ok(())
/// # }
/// ```
///
/// # Setting it up
///
/// A key of an AEAD type, neither derived nor convergent, and one policy for each role. The capability is `update` and never
/// `create`: with `create`, a misspelt name would make a new root key without a word.
///
/// ```sh
/// vault secrets enable transit                             # bao secrets enable transit
/// vault write -f transit/keys/phi-root type=aes256-gcm96
/// vault write transit/config/keys disable_upsert=true      # even root tokens then make no key by a typing error
/// ```
///
/// ```text
/// # Services: unlock keyrings.
/// path "transit/decrypt/phi-root" { capabilities = ["update"] }
///
/// # Administrators: also create, rewrap and add root keys.
/// path "transit/encrypt/phi-root" { capabilities = ["update"] }
/// path "transit/decrypt/phi-root" { capabilities = ["update"] }
/// ```
///
/// # What a wrap is bound to
///
/// A wrap carries the keyspace and the KEK's fingerprint as `associated_data`. Before the first KEK is sent to be wrapped, a
/// value that is no secret is, and must not open with other associated data: a mount that is no Transit engine (a KV engine
/// would keep what it is sent), a server too old for `associated_data` or a key whose type has none are refused.
///
/// The key may be rotated in Vault: what older versions wrapped stays readable until `min_decryption_version` is raised
/// above them, so rewrap the keyring first. Use rxseal's own rewrap, which unwraps and wraps. Vault's endpoint
/// `transit/rewrap` takes no associated data and answers 400 for a wrap that has some.
///
/// # Names
///
/// The name is `<namespace>/<mount>/<key>`, such as `transit/phi-root`, without the address: any node of the cluster and
/// OpenBao in the place of Vault find the wraps again. What is recovered under another mount or name has another name, and the
/// keyring needs to be rewrapped. Two root keys of one name are one to a keyring: where two clusters have a key of the same
/// mount and name, give the second a [`label`](crate::VaultKeyBuilder::label), and its name is `transit/phi-root@dc2`.
///
/// # Time, and what fails
///
/// A call ends within its [deadline](crate::VaultKeyBuilder::deadline), all attempts and logins included. Connections that fail,
/// 408, 412, 429, 472, 473 and 5xx (a sealed server among them) are tried again with backoff and jitter, and are reported as
/// [retryable](Error::is_retryable). Everything else is refused at the first attempt. Only where
/// the token is not accepted, or has no right, one that came from a login or a file is got anew, once: Vault may answer a token
/// that was revoked in the same words. The error's [`source`](std::error::Error::source) says in one line what to do, such as
/// which capability on which path is missing.
///
/// A redirect is an error, since the token and the KEK go to the given address only. Proxies of the environment
/// (`HTTPS_PROXY`) are not used, for the same reason.
///
/// # Memory
///
/// Tokens, secret ids, request bodies and answers live in memory that is wiped, and are in no error, log or `Debug`. The
/// buffers of the HTTP and TLS crates cannot be wiped from outside: a KEK, in base64, and the token may stay in freed memory
/// after a call.
///
/// Needs a tokio runtime with its timers and network enabled; without one, calls fail with `runtime-needed`.
pub struct VaultKey {
    name: String,
    mount: String,
    key: String,
    client: Client,
    /// Whether the key has shown that it binds associated data.
    binds: AtomicBool,
}

impl VaultKey {
    pub(crate) fn new(name: String, mount: String, key: String, client: Client) -> Self {
        Self { name, mount, key, client, binds: AtomicBool::new(false) }
    }

    /// What is done from now on until the deadline.
    fn begin(&self) -> Result<Operation<'_>, Error> {
        // reqwest panics without one.
        need_runtime()?;
        Ok(Operation { root: self, ends: self.client.transport.ends() })
    }
}

/// Calls that share one deadline.
struct Operation<'r> {
    root: &'r VaultKey,
    ends: Instant,
}

impl Operation<'_> {
    async fn wrap_kek(&self, kek: &Kek, associated_data: &[u8]) -> Result<Vec<u8>, Failure> {
        if !self.root.binds.load(Ordering::Relaxed) {
            self.check_binding().await?;
            self.root.binds.store(true, Ordering::Relaxed);
        }
        self.encrypt(kek.expose_bytes(), associated_data).await.map(String::into_bytes)
    }

    async fn unwrap_kek(&self, wrapped: &[u8], associated_data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let ciphertext = message::as_ciphertext(wrapped).ok_or_else(|| self.failure(Problem::NotAWrap, "decrypt"))?;
        self.decrypt(ciphertext, associated_data).await
    }

    /// Zeros are no secret, so nothing is lost where this turns out to be no Transit engine.
    async fn check_binding(&self) -> Result<(), Failure> {
        let ciphertext = self.encrypt(&[0; 32], b"rxseal/check").await?;
        match self.decrypt(&ciphertext, b"rxseal/other").await {
            Err(failure) if failure.is_not_opened() => Ok(()),
            Err(failure) => Err(failure),
            Ok(_) => Err(self.failure(Problem::NotBinding, "encrypt")),
        }
    }

    async fn encrypt(&self, plaintext: &[u8; 32], associated_data: &[u8]) -> Result<String, Failure> {
        let call = Call::new(self.path("encrypt"), message::encrypt(plaintext, associated_data));
        self.root.client.call(&call, self.ends, message::read_ciphertext).await
    }

    async fn decrypt(&self, ciphertext: &str, associated_data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let call = Call::new(self.path("decrypt"), message::decrypt(ciphertext, associated_data));
        self.root.client.call(&call, self.ends, message::read_plaintext).await
    }

    fn failure(&self, problem: Problem, what: &str) -> Failure {
        self.root.client.transport.failure(problem, &self.path(what))
    }

    fn path(&self, what: &str) -> String {
        format!("{}/{what}/{}", self.root.mount, self.root.key)
    }
}

impl RootKey for VaultKey {
    fn provider(&self) -> &'static str {
        "vault"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(async move { Ok(self.begin()?.wrap_kek(kek, &context.associated_data()).await?) })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move { Kek::from_bytes(&self.begin()?.unwrap_kek(wrapped, &context.associated_data()).await?) })
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKey({} at {})", self.name, self.client.transport.origin)
    }
}
