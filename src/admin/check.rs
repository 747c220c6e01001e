//! Which root keys unlock a stored keyring: the drill before they are needed.

use std::fmt;

use super::KeyringAdmin;
use crate::error::Error;
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
    /// Asks every trusted root key that the stored keyring names, each on its own, to unlock it. Nothing is changed.
    ///
    /// # Errors
    ///
    /// `keyring-missing`, `keyring-mismatch`, `keyring-too-old`, and those of the store. What a root key reports is in its check.
    pub async fn verify(&self, keyspace: &str) -> Result<Vec<WrapCheck>, Error> {
        let stored = self.stored(keyspace).await?;
        let mut checks = Vec::new();
        for wrap in stored.wraps() {
            let is_it = |root: &&dyn crate::provider::RootKey| {
                root.provider() == wrap.provider() && root.name() == wrap.root_key()
            };
            let result = match self.roots.iter().find(is_it) {
                Some(root) => Some(check_root(&self.options, keyspace, root, &stored).await),
                None => None,
            };
            checks.push(WrapCheck::of(&wrap, result));
        }
        Ok(checks)
    }
}
