//! Which root keys unlock a stored keyring: the drill before they are needed.

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

    /// Whether it unlocks the keyring; `None` where it is not among the trusted root keys and could not be asked.
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
    /// Asks every trusted root key, each on its own, to unlock the stored keyring. Those that it names come first, also where they
    /// are not trusted here; then those that it does not name, whose check has failed. Nothing is changed.
    ///
    /// # Errors
    ///
    /// `keyring-missing`, `keyring-mismatch`, `keyring-too-old`, and those of the store. What a root key reports is in its check.
    pub async fn verify(&self, keyspace: &str) -> Result<Vec<WrapCheck>, Error> {
        let stored = self.stored(keyspace).await?;
        let mut checks = Vec::new();
        for wrap in stored.wraps() {
            let asked = checks.len();
            // Several where they share a name: the replicas of a key in many regions, each of which has to unlock it alone.
            for root in self.roots.iter() {
                if root.provider() == wrap.provider() && root.name() == wrap.root_key() {
                    let result = check_root(&self.options, keyspace, root, &stored).await;
                    if result.is_ok() {
                        // Refused only where a newer one was seen meanwhile.
                        let _ = self.seen.see(&stored);
                    }
                    checks.push(WrapCheck::of(&wrap, Some(result)));
                }
            }
            if checks.len() == asked {
                checks.push(WrapCheck::of(&wrap, None));
            }
        }
        // A root key that somebody relies on, and that was taken off.
        for root in self.roots.iter() {
            if !checks.iter().any(|check| check.provider == root.provider() && check.root_key == root.name()) {
                let (provider, root_key) = (root.provider().to_owned(), root.name().to_owned());
                checks.push(WrapCheck { provider, root_key, result: Some(Err(ErrorKind::NoSuchWrap.into())) });
            }
        }
        Ok(checks)
    }
}
