//! The only interface for root keys: a KMS, an HSM, or a key on this machine.

#[cfg(unix)]
mod file;
mod kek;
mod local;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[cfg(unix)]
pub use file::RootKeyFile;
pub use kek::{Kek, KekContext};
pub use local::LocalRootKey;

use crate::error::{Error, ErrorKind};

/// The result of a [`RootKey`]'s calls: a boxed future, so that the trait is object-safe and needs no runtime.
pub type ProviderFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A root key: it wraps and unwraps KEKs and never leaves its provider.
///
/// Implement it for a KMS or an HSM of your own. Every call must end in bounded time. Report a failure with
/// [`Error::from_provider`]`(true, ..)` only if the same call may succeed later: a `KeyringManager` then continues with
/// the keys that it has, for its grace. Report a refusal, which is final, with `(false, ..)`.
///
/// ```
/// use rxseal::provider::{Kek, KekContext, ProviderFuture};
/// use rxseal::root::RootKey;
///
/// /// A key service of your own.
/// struct Vault9 { client: Client }
///
/// fn reported(cause: std::io::Error) -> rxseal::Error {
///     let may_succeed_later = cause.kind() != std::io::ErrorKind::PermissionDenied;
///     rxseal::Error::from_provider(may_succeed_later, cause)
/// }
/// # struct Client;
/// # impl Client {
/// #     async fn encrypt(&self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, std::io::Error> { unimplemented!() }
/// #     async fn decrypt(&self, _: &[u8], _: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, std::io::Error> { unimplemented!() }
/// # }
///
/// impl RootKey for Vault9 {
///     fn provider(&self) -> &str { "vault9" }
///     fn name(&self) -> &str { "phi-root" }
///
///     fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
///         Box::pin(async move {
///             let answer = self.client.encrypt(kek.expose_bytes(), &context.associated_data()).await;
///             answer.map_err(reported)
///         })
///     }
///
///     fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
///         Box::pin(async move {
///             let answer = self.client.decrypt(wrapped, &context.associated_data()).await;
///             Kek::from_bytes(&answer.map_err(reported)?)
///         })
///     }
/// }
/// ```
pub trait RootKey: Send + Sync {
    /// The provider's stable name, as in keyring files: 1 to 64 characters of `a-z 0-9 . _ -`.
    fn provider(&self) -> &str;

    /// The key's stable name at the provider, such as its ARN: 1 to 2,048 characters of printable ASCII without spaces.
    fn name(&self) -> &str;

    /// Wraps a KEK, bound to `context`.
    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>>;

    /// Unwraps a KEK that was wrapped with the same `context`. The caller notices a wrong answer.
    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek>;
}

impl<R: RootKey + ?Sized> RootKey for Arc<R> {
    fn provider(&self) -> &str {
        (**self).provider()
    }

    fn name(&self) -> &str {
        (**self).name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        (**self).wrap_kek(kek, context)
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        (**self).unwrap_kek(wrapped, context)
    }
}

/// The root keys that a program trusts, in the order in which they are tried.
///
/// ```no_run
/// use rxseal::root::{RootKeyFile, RootKeys};
/// let roots = RootKeys::from(RootKeyFile::new("/etc/pharmacy/root.key").load()?)
///     .and(RootKeyFile::new("/mnt/escrow/root.key").load()?);
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone)]
pub struct RootKeys(Vec<Arc<dyn RootKey>>);

impl RootKeys {
    /// Trusts one more root key. It is tried after the others.
    #[must_use]
    pub fn and(mut self, root: impl RootKey + 'static) -> Self {
        self.0.push(Arc::new(root));
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn RootKey> {
        self.0.iter().map(Arc::as_ref)
    }
}

impl<R: RootKey + 'static> From<R> for RootKeys {
    fn from(root: R) -> Self {
        Self(vec![Arc::new(root)])
    }
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|root| (root.provider().to_owned(), root.name().to_owned()))).finish()
    }
}

/// Runs a call without an async runtime, if all its root keys are on this machine.
///
/// Local root keys never wait, so the call is complete when this returns.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::keys::KeyringAdmin;
/// use rxseal::root::{RootKeyFile, RootKeys};
/// use rxseal::store::FileStore;
/// use rxseal::{Keyring, run_local};
/// let roots = RootKeys::from(RootKeyFile::new("secret/root.key").load()?);
/// let stored = run_local(KeyringAdmin::new(FileStore::new("keyrings"), roots.clone()).stored("pharmacy-17"))?;
/// let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored))?.unobserved();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The errors of the call, and `runtime-needed` if a provider waits for a network or a device.
pub fn run_local<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut call = std::pin::pin!(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::RuntimeNeeded.into()),
    }
}
