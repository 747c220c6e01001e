//! The stored form of subject keys: wrapped under a DEK, whose id is in front (FORMAT 10).

use std::fmt;
use std::str::FromStr;

use super::keys::Keys;
use super::subject_key::SubjectKey;
use crate::aead::envelope;
use crate::codec::frame::{FrameWriter, domain};
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::id::{Identifier, KeyId};
use crate::random;
use crate::secret::{PlainBuffer, SecretBytes, wipe};
use crate::token::{WRAPPED_KEY_LEN, WRAPPED_KEY_MAGIC};

const HEADER_LEN: usize = WRAPPED_KEY_MAGIC.len() + KeyId::LEN;

/// A subject key as it is stored: 81 bytes or 108 characters, worthless without the keyring.
///
/// Keep these apart from the data, with short-lived backups: a subject is forgotten once every copy of its wrapped key
/// is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedSubjectKey(Vec<u8>);

impl WrappedSubjectKey {
    /// The stored bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of the DEK that wraps it.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        let bytes = self.0.get(WRAPPED_KEY_MAGIC.len()..).and_then(|rest| rest.first_chunk());
        KeyId::from_bytes(bytes.copied().unwrap_or_default())
    }
}

impl TryFrom<&[u8]> for WrappedSubjectKey {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        if has_form(bytes) { Ok(Self(bytes.to_vec())) } else { Err(ErrorKind::InvalidSubjectKey.into()) }
    }
}

impl FromStr for WrappedSubjectKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = text::decode(text).ok_or(ErrorKind::InvalidSubjectKey)?;
        if has_form(&bytes) {
            return Ok(Self(bytes));
        }
        // It may be plaintext.
        wipe(&mut bytes);
        Err(ErrorKind::InvalidSubjectKey.into())
    }
}

impl fmt::Display for WrappedSubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.0))
    }
}

impl fmt::Debug for WrappedSubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedSubjectKey({})", self.key_id())
    }
}

impl SubjectKey {
    /// A new key, and its wrapped form under the primary of `keys`.
    pub(crate) fn generate(keys: &Keys, subject: &Identifier<'_>) -> Result<(Self, WrappedSubjectKey), Error> {
        let subject_id = subject.parse("subject id")?;
        let secret = random::key()?;
        let key = Self::of(keys.keyspace(), subject_id, secret);
        let wrapped = key.wrap_subject_key(keys)?;
        Ok((key, wrapped))
    }

    /// FORMAT 10.1
    fn wrap_subject_key(&self, keys: &Keys) -> Result<WrappedSubjectKey, Error> {
        let dek = keys.primary();
        let mut bytes = Vec::with_capacity(WRAPPED_KEY_LEN);
        bytes.extend_from_slice(&WRAPPED_KEY_MAGIC);
        bytes.extend_from_slice(dek.id.as_bytes());
        let key = dek.wrap_key(self.keyspace().as_str())?;
        let context = wrap_context(self.keyspace().as_str(), self.subject_id(), dek.id);
        envelope::seal(keys.backend(), key, &context, self.secret().expose_bytes(), &mut bytes)?;
        Ok(WrappedSubjectKey(bytes))
    }

    /// FORMAT 10.3
    pub(crate) fn unwrap_subject_key(
        keys: &Keys,
        subject: &Identifier<'_>,
        wrapped: &WrappedSubjectKey,
    ) -> Result<Self, Error> {
        keys.find(wrapped.key_id())?.check_opens()?;
        Self::open_wrapped(keys, subject, wrapped)
    }

    /// The same key under the primary (FORMAT 10.4).
    pub(crate) fn rewrap_subject_key(
        keys: &Keys,
        subject: &Identifier<'_>,
        wrapped: &WrappedSubjectKey,
    ) -> Result<WrappedSubjectKey, Error> {
        Self::unwrap_subject_key(keys, subject, wrapped)?.wrap_subject_key(keys)
    }

    /// Like `rewrap_subject_key`, but also from a compromised key.
    pub(crate) fn rewrap_compromised(
        keys: &Keys,
        subject: &Identifier<'_>,
        wrapped: &WrappedSubjectKey,
    ) -> Result<WrappedSubjectKey, Error> {
        Self::open_wrapped(keys, subject, wrapped)?.wrap_subject_key(keys)
    }

    fn open_wrapped(keys: &Keys, subject: &Identifier<'_>, wrapped: &WrappedSubjectKey) -> Result<Self, Error> {
        let subject_id = subject.parse("subject id")?;
        let keyspace = keys.keyspace();
        let dek = keys.find(wrapped.key_id())?;
        let key = dek.wrap_key(keyspace.as_str())?;
        let context = wrap_context(keyspace.as_str(), subject_id, dek.id);
        let mut sealed = PlainBuffer::default();
        sealed.vec().extend_from_slice(wrapped.0.get(HEADER_LEN..).unwrap_or_default());
        let plain = envelope::open(keys.backend(), key, &context, sealed.as_mut_slice()).ok();
        let secret = plain.and_then(|bytes| <&[u8; 32]>::try_from(&*bytes).ok().map(SecretBytes::copy_of));
        match secret {
            Some(secret) if !secret.is_zero() => Ok(Self::of(keyspace, subject_id, secret)),
            _ => Err(Error::from(ErrorKind::SubjectKeyRefused).with_key(dek.id)),
        }
    }
}

/// FORMAT 10.1.
fn has_form(bytes: &[u8]) -> bool {
    bytes.len() == WRAPPED_KEY_LEN && bytes.starts_with(&WRAPPED_KEY_MAGIC)
}

fn wrap_context(keyspace: &str, subject_id: &str, key_id: KeyId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(384);
    FrameWriter::new(domain::SUBJECT_WRAP, &mut bytes)
        .part(2, keyspace.as_bytes())
        .part(7, subject_id.as_bytes())
        .part(8, key_id.as_bytes());
    bytes
}
