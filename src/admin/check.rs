//! Checks which root keys unlock a stored keyring, before they are needed.

use std::fmt;

use super::KeyringAdmin;
use crate::error::{Error, ErrorKind};
use crate::key::WrapInfo;
use crate::keyring::check_root;

/// Whether one root key unlocks a keyring.
#[derive(Debug)]
pub struct WrapCheck {
    provider: String,
    root_key: String,
    result: Option<Result<(), Error>>,
}

impl WrapCheck {
    /// The provider, such as `local`.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The root key's name at the provider.
    #[must_use]
    pub fn root_key(&self) -> &str {
        &self.root_key
    }

    /// Whether it unlocks the keyring. `None` if it is not among the trusted root keys and could not be asked.
    #[must_use]
    pub fn result(&self) -> Option<Result<(), &Error>> {
        self.result.as_ref().map(|result| result.as_ref().copied())
    }

    fn of(wrap: &WrapInfo<'_>, result: Option<Result<(), Error>>) -> Self {
        Self { provider: wrap.provider().to_owned(), root_key: wrap.root_key().to_owned(), result }
    }
}

impl fmt::Display for WrapCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, root_key, result } = self;
        match result {
            Some(Ok(())) => write!(f, "{provider} {root_key}: unlocks"),
            Some(Err(error)) => write!(f, "{provider} {root_key}: {error}"),
            None => write!(f, "{provider} {root_key}: not asked"),
        }
    }
}

impl KeyringAdmin {
    /// Asks each trusted root key separately to unlock the stored keyring, and changes nothing. The root keys that the keyring names
    /// come first, whether they are trusted here or not. Then come those that it does not name, whose check has failed.
    ///
    /// # Errors
    ///
    /// `keyring-missing`, `keyring-mismatch`, `keyring-too-old`, and those of the store. An error of a root key is in its check.
    pub async fn verify(&self, keyspace: &str) -> Result<Vec<WrapCheck>, Error> {
        let stored = self.stored(keyspace).await?;
        let mut checks = Vec::new();
        for wrap in stored.wraps() {
            let asked = checks.len();
            // Several root keys may share a name: the replicas of a key in many regions. Each has to unlock the keyring by itself.
            for root in self.roots.iter() {
                if root.provider() == wrap.provider() && root.name() == wrap.root_key() {
                    let result = check_root(&self.options, keyspace, root, &stored, self.observer.as_deref()).await;
                    if result.is_ok() {
                        // This refuses only if a newer one was seen meanwhile.
                        let _ = self.seen.see(&stored);
                    }
                    checks.push(WrapCheck::of(&wrap, Some(result)));
                }
            }
            if checks.len() == asked {
                checks.push(WrapCheck::of(&wrap, None));
            }
        }
        // Somebody relies on a root key that was removed.
        for root in self.roots.iter() {
            if !checks.iter().any(|check| check.provider == root.provider() && check.root_key == root.name()) {
                let (provider, root_key) = (root.provider().to_owned(), root.name().to_owned());
                checks.push(WrapCheck { provider, root_key, result: Some(Err(ErrorKind::NoSuchWrap.into())) });
            }
        }
        Ok(checks)
    }
}
