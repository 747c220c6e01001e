//! Index roots: the keys that blind indexes are derived from.

use super::info::{KeyInfo, KeyState};
use crate::backend::Backend;
use crate::error::Error;
use crate::id::KeyId;
use crate::kdf::{self, KeyPurpose};
use crate::secret::SecretBytes;

/// An index root of an unlocked keyring. It is only ever the input of a derivation (FORMAT 3.1).
///
/// Values under it are asked for in every state. Only the primary writes values (FORMAT 8.7).
pub(crate) struct IndexRoot {
    pub(crate) id: KeyId,
    pub(crate) state: KeyState,
    pub(crate) primary: bool,
    secret: SecretBytes<32>,
}

impl IndexRoot {
    pub(crate) fn new(info: &KeyInfo, secret: SecretBytes<32>) -> Self {
        Self { id: info.id, state: info.state, primary: info.primary, secret }
    }

    /// The key of one blind index (FORMAT 3.2, purpose `index`).
    pub(crate) fn index_key(&self, backend: Backend, keyspace: &str, index: &str) -> Result<SecretBytes<32>, Error> {
        kdf::derive(backend, &self.secret, KeyPurpose::Index { keyspace, index })
    }
}
