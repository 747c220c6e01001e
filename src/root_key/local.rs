//! A root key on this machine (FORMAT 9).

use std::fmt;
use std::future::ready;

use zeroize::Zeroizing;

use super::{Kek, KekContext, ProviderFuture, RootKey};
use crate::aead::envelope;
use crate::backend::Backend;
use crate::codec::secret_text;
use crate::error::{Error, ErrorKind, Reason};
use crate::id::KeyId;
use crate::kdf::{self, KeyPurpose};
use crate::random;
use crate::secret::{PlainBuffer, SecretBytes};

const PREFIX: &[u8] = b"rxseal-root-v1:";

/// A root key that this machine holds, from a [`RootKeyFile`](crate::root::RootKeyFile) or an environment variable.
///
/// It needs no service and no configuration. It protects a stolen database or backup as long as the root key is not in
/// it, so keep it apart from the data.
pub struct LocalRootKey {
    secret: SecretBytes<32>,
    name: String,
}

impl LocalRootKey {
    /// The root key in an environment variable, as one line like a root key file's (`rxseal-root-v1:` and 43
    /// characters).
    ///
    /// Prefer a file: a process's environment can be read by its user and by root, and its children inherit it.
    ///
    /// # Errors
    ///
    /// `invalid-root-key` if the variable is not set or contains anything else.
    ///
    /// ```no_run
    /// let root = rxseal::root::LocalRootKey::from_env("RXSEAL_ROOT_KEY")?;
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    pub fn from_env(variable: &str) -> Result<Self, Error> {
        let named = |reason| match invalid(reason) {
            // A caller may have passed the key itself instead of a name, and it must not appear in a log.
            error if is_variable_name(variable) => error.caused_by(variable.to_owned()),
            error => error,
        };
        let value = std::env::var_os(variable)
            .ok_or_else(|| named("the environment variable is not set"))?
            .into_string()
            .map_err(|_| named("the environment variable is not text"))?;
        let value = Zeroizing::new(value);
        Self::parse_line(value.as_bytes())
    }

    /// A new random root key. A [`RootKeyFile`](crate::root::RootKeyFile) stores it.
    pub(crate) fn generate() -> Result<Self, Error> {
        Self::new(random::key()?)
    }

    fn new(secret: SecretBytes<32>) -> Result<Self, Error> {
        if secret.is_zero() {
            return Err(invalid("it is all zeros"));
        }
        let name = kdf::derive(Backend::default(), &secret, KeyPurpose::RootName)?;
        let name = KeyId::of_fingerprint(name.expose_bytes()).to_string();
        Ok(Self { secret, name })
    }

    /// FORMAT 9.1
    pub(crate) fn parse_line(line: &[u8]) -> Result<Self, Error> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.ends_with(b"\r") {
            return Err(invalid("it ends with a carriage return, as in Windows files: convert CRLF to LF"));
        }
        let text = line.strip_prefix(PREFIX).ok_or_else(|| invalid("it does not begin with `rxseal-root-v1:`"))?;
        let secret = secret_text::decode_key(text)
            .ok_or_else(|| invalid("`rxseal-root-v1:` is not followed by 43 characters of canonical base64url"))?;
        Self::new(secret)
    }

    /// The line of a key file, in a buffer that is wiped on drop.
    pub(crate) fn expose_line(&self) -> PlainBuffer {
        let mut line = PlainBuffer::default();
        line.vec().reserve_exact(64);
        line.vec().extend_from_slice(PREFIX);
        secret_text::encode_key(&self.secret, line.vec());
        line.vec().push(b'\n');
        line
    }

    /// FORMAT 9.2
    fn wrap_now(&self, kek: &Kek, context: KekContext<'_>) -> Result<Vec<u8>, Error> {
        let key = kdf::derive(Backend::default(), &self.secret, KeyPurpose::RootWrap)?;
        let mut wrapped = Vec::new();
        envelope::seal(Backend::default(), key, &context.associated_data(), kek.expose_bytes(), &mut wrapped)?;
        Ok(wrapped)
    }

    fn unwrap_now(&self, wrapped: &[u8], context: KekContext<'_>) -> Result<Kek, Error> {
        let key = kdf::derive(Backend::default(), &self.secret, KeyPurpose::RootWrap)?;
        let mut sealed = PlainBuffer::default();
        sealed.vec().extend_from_slice(wrapped);
        let plain = envelope::open(Backend::default(), key, &context.associated_data(), sealed.as_mut_slice())?;
        Kek::from_bytes(plain).map_err(|_| ErrorKind::UnlockFailed.into())
    }
}

impl RootKey for LocalRootKey {
    fn provider(&self) -> &'static str {
        "local"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(ready(self.wrap_now(kek, context)))
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(ready(self.unwrap_now(wrapped, context)))
    }
}

impl fmt::Debug for LocalRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalRootKey({})", self.name)
    }
}

/// Shorter than a key, which has 43 characters.
fn is_variable_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn invalid(reason: Reason) -> Error {
    ErrorKind::InvalidRootKey.because(reason)
}
