//! Data-encryption keys.

use std::sync::OnceLock;

use super::class_key::ClassKeys;
use super::info::{KeyInfo, KeyState};
use super::subject_key::SubjectKey;
use crate::aead::{ClassCipher, Letter, MessageCipher, SpareCipher, Suite};
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::id::{Class, KeyId};
use crate::kdf::{self, KeyPurpose, PreparedHmac};
use crate::secret::SecretBytes;

/// A DEK of an unlocked keyring. It is only ever the input of a derivation (FORMAT 3.1).
pub(crate) struct Dek {
    pub(crate) id: KeyId,
    pub(crate) state: KeyState,
    pub(crate) suite: Suite,
    backend: Backend,
    secret: SecretBytes<32>,
    classes: ClassKeys,
    record: OnceLock<Box<PreparedHmac>>,
}

impl Dek {
    pub(super) fn new(info: &KeyInfo, suite: Suite, backend: Backend, secret: SecretBytes<32>) -> Self {
        Self {
            id: info.id,
            state: info.state,
            suite,
            backend,
            secret,
            classes: ClassKeys::new(),
            record: OnceLock::new(),
        }
    }

    /// The cipher of `class` for messages of `letter` whose nonce begins like this one. It reuses the room of `spare`.
    pub(crate) fn message_cipher(
        &self,
        keyspace: &str,
        letter: Letter,
        class: Class,
        subject: Option<&SubjectKey>,
        nonce: &[u8; 24],
        spare: Option<SpareCipher>,
    ) -> Result<MessageCipher, Error> {
        let class_key = self.classes.get(class)?;
        let Some(subject) = subject else {
            return class_key.cipher(self.backend, &self.secret, keyspace, letter)?.for_nonce(nonce, spare);
        };
        // FORMAT 3.5
        let input = class_key.subject_input(self.backend, &self.secret, keyspace, letter)?;
        let (class, subject_id) = (class.as_str(), subject.subject_id());
        let key = kdf::derive_with_subject(self.backend, subject.secret(), input, keyspace, letter, class, subject_id)?;
        ClassCipher::new(self.backend, letter, key)?.for_nonce(nonce, spare)
    }

    /// The key that wraps subject keys (FORMAT 3.2, purpose `wrap`).
    pub(super) fn wrap_key(&self, keyspace: &str) -> Result<SecretBytes<32>, Error> {
        kdf::derive(self.backend, &self.secret, KeyPurpose::Wrap { keyspace })
    }

    /// The HMAC of record tags (FORMAT 3.2, purpose `record`). It is made when it is first needed.
    pub(crate) fn record_hmac(&self, keyspace: &str) -> Result<&PreparedHmac, Error> {
        if let Some(hmac) = self.record.get() {
            return Ok(hmac);
        }
        let key = kdf::derive(self.backend, &self.secret, KeyPurpose::Record { keyspace })?;
        Ok(self.record.get_or_init(|| Box::new(PreparedHmac::new(self.backend, &key, &[]))))
    }

    /// Refuses if nothing may be opened in this state (FORMAT 8.7).
    pub(crate) fn check_opens(&self) -> Result<(), Error> {
        match self.state {
            KeyState::PreActive | KeyState::Active | KeyState::Deactivated => Ok(()),
            KeyState::Compromised => Err(Error::from(ErrorKind::KeyCompromised).with_key(self.id)),
            KeyState::Destroyed => Err(Error::from(ErrorKind::KeyDestroyed).with_key(self.id)),
        }
    }
}
