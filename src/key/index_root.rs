//! Index roots: the keys that blind indexes are derived from.

use super::info::{KeyInfo, KeyState};
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
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
        index_key(backend, &self.secret, keyspace, index)
    }
}

/// The same of an index root that may be in no keyring yet.
pub(super) fn index_key(
    backend: Backend,
    root: &SecretBytes<32>,
    keyspace: &str,
    index: &str,
) -> Result<SecretBytes<32>, Error> {
    kdf::derive(backend, root, KeyPurpose::Index { keyspace, index })
}

/// The prefix of the values that a definition, of this digest, has under an index key (FORMAT 15.5).
pub(crate) fn prefix_under(backend: Backend, key: &SecretBytes<32>, digest: &[u8; 32]) -> Result<[u8; 3], Error> {
    let mut message = Vec::new();
    FrameWriter::new(domain::INDEX_PREFIX, &mut message).part(1, digest);
    let [a, b, c, ..] = kdf::hmac_sha256(backend, key, &message)?;
    Ok([a, b, c])
}
