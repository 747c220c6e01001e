//! Root keys in the Transit engine of HashiCorp Vault or OpenBao.
//!
//! This uses reqwest and not the crate vaultrs (0.8 was looked at). vaultrs shows the token in `Debug`, keeps it and
//! the bodies of requests in memory that is not wiped, follows redirects with the token, reads settings from the
//! environment unasked, and has neither deadlines nor retries. Only two calls and a login of the API are needed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use rxseal::Error;
use rxseal::provider::{Kek, KekContext, ProviderFuture, need_runtime};
use rxseal::root::RootKey;
use tokio::time::Instant;

use crate::client::Client;
use crate::failure::{Failure, Problem};
use crate::message::{self, Unwrapped};
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
/// Create a key with an AEAD type, neither derived nor convergent, and one policy for each role. Grant the capability
/// `update` and never `create`: with `create`, a misspelt name would silently make a new root key.
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
/// A wrap is bound to the keyspace and the KEK's fingerprint, as `associated_data`. Before the first KEK is wrapped,
/// the server has to wrap a value that is not secret, and must not open it with other associated data. This refuses a
/// mount that is not a Transit engine (a KV engine would store whatever it is sent), a server too old for
/// `associated_data`, and a key type without it.
///
/// You may rotate the key in Vault. Wraps by older versions stay readable until you raise `min_decryption_version`
/// above them, so rewrap the keyring first. Use rxseal's own rewrap, which unwraps and wraps. Vault's endpoint
/// `transit/rewrap` takes no associated data and answers 400 for a wrap that has some.
///
/// # Names
///
/// The key's name is `<namespace>/<mount>/<key>`, such as `transit/phi-root`. It does not contain the address, so any
/// node of the cluster finds the wraps, and so does OpenBao in the place of Vault. A key that is restored under another
/// mount or name gets another name, and the keyring must be rewrapped. A keyring treats two root keys with the same
/// name as one. If two clusters have a key with the same mount and name, give the second a
/// [`label`](crate::VaultKeyBuilder::label); its name is then `transit/phi-root@dc2`.
///
/// # Time, and what fails
///
/// A call ends within its [deadline](crate::VaultKeyBuilder::deadline), with all its attempts and logins. Failed
/// connections and the statuses 408, 412, 429, 472, 473 and 5xx (which include a sealed server) are tried again with
/// backoff and jitter, and are reported as [retryable](Error::is_retryable). Every other failure ends the call at the
/// first attempt, with one exception. If the token is not accepted or lacks a right, and it came from a login or a
/// file, a fresh token is tried once: Vault may answer in the same words if the token was revoked. The error's
/// [`source`](std::error::Error::source) says in one line what to do, such as which capability is missing on which
/// path.
///
/// A redirect is an error, because the token and the KEK go to the given address only. For the same reason, proxies
/// from the environment (`HTTPS_PROXY`) are not used.
///
/// # Memory
///
/// Tokens, secret ids, request bodies and answers are kept in memory that is wiped, and never appear in an error, a log
/// or `Debug`. The buffers of the HTTP and TLS crates cannot be wiped from here: after a call, freed memory may still
/// hold the token, and the KEK in base64.
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

    /// One call: everything from now until the deadline.
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

    async fn unwrap_kek(&self, wrapped: &[u8], associated_data: &[u8]) -> Result<Unwrapped, Failure> {
        let ciphertext = message::as_ciphertext(wrapped).ok_or_else(|| self.failure(Problem::NotAWrap, "decrypt"))?;
        self.decrypt(ciphertext, associated_data).await
    }

    /// Zeros are not a secret, so nothing is lost if this is not a Transit engine.
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

    async fn decrypt(&self, ciphertext: &str, associated_data: &[u8]) -> Result<Unwrapped, Failure> {
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
        Box::pin(async move {
            let unwrapped = self.begin()?.unwrap_kek(wrapped, &context.associated_data()).await?;
            Ok(Kek::from_bytes(&unwrapped.key)?.with_request_id(&unwrapped.request_id))
        })
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKey({} at {})", self.name, self.client.transport.origin)
    }
}
