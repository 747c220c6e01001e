//! A root key in front of another one. It changes what the other is asked to unwrap, and records what it saw.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::RootKey;

type Replace = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

#[derive(Clone)]
pub(super) struct Tampering {
    inner: Arc<dyn RootKey>,
    name: String,
    seen: Arc<Mutex<Seen>>,
}

pub(super) struct Seen {
    replace: Replace,
    wrap_twice: bool,
    /// Every KEK that was wrapped or unwrapped, in order.
    pub(super) keks: Vec<[u8; 32]>,
    /// Every wrap that the provider made, in order.
    pub(super) wraps: Vec<Vec<u8>>,
    /// Whether the provider answered the last call with a KEK.
    pub(super) answered: bool,
}

impl Tampering {
    pub(super) fn of(inner: &Arc<dyn RootKey>) -> Self {
        Self::posing(inner, inner.name())
    }

    /// Under a false name.
    pub(super) fn posing(inner: &Arc<dyn RootKey>, name: &str) -> Self {
        let replace: Replace = Box::new(<[u8]>::to_vec);
        let seen = Seen { replace, wrap_twice: false, keks: Vec::new(), wraps: Vec::new(), answered: false };
        Self { inner: Arc::clone(inner), name: name.to_owned(), seen: Arc::new(Mutex::new(seen)) }
    }

    /// Gives the provider something else instead of a wrap.
    pub(super) fn replace(&self, replace: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) {
        self.seen().replace = Box::new(replace);
    }

    pub(super) fn wrap_twice(&self) {
        self.seen().wrap_twice = true;
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            self.seen().keks.push(*kek.expose_bytes());
            let mut wrapped = self.inner.wrap_kek(kek, context).await?;
            self.seen().wraps.push(wrapped.clone());
            if self.seen().wrap_twice {
                wrapped = self.inner.wrap_kek(kek, context).await?;
                self.seen().wraps.push(wrapped.clone());
            }
            Ok(wrapped)
        })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move {
            let given = (self.seen().replace)(wrapped);
            let answer = self.inner.unwrap_kek(&given, context).await;
            let mut seen = self.seen();
            seen.answered = answer.is_ok();
            // A KEK from a lying provider is secret too: it may be the key of another keyring.
            seen.keks.extend(answer.as_ref().ok().map(|kek| *kek.expose_bytes()));
            answer
        })
    }
}
