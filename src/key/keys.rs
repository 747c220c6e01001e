//! The keys of an unlocked keyring, and its sealed body.

use std::iter;

use super::dek::Dek;
use super::file::{KeyringFile, invalid};
use super::index_root::IndexRoot;
use super::info::{KeyInfo, KeyState, KeyUse};
use super::made::Made;
use crate::aead::{Suite, envelope};
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain, split_frame};
use crate::error::{Error, ErrorKind};
use crate::id::{KeyId, Name};
use crate::kdf::{self, KeyPurpose};
use crate::random;
use crate::root_key::Kek;
use crate::secret::{PlainBuffer, SecretBytes, reserve_wiping};

/// One key in a keyring's body.
pub(crate) struct BodyKey {
    id: KeyId,
    secret: SecretBytes<32>,
}

impl BodyKey {
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn secret(&self) -> &SecretBytes<32> {
        &self.secret
    }
}

/// A key that will be added to a keyring.
pub(crate) struct NewKey {
    pub(crate) info: KeyInfo,
    pub(crate) secret: BodyKey,
}

impl NewKey {
    /// A fresh random key whose id is not among `taken` (FORMAT 3.3).
    pub(crate) fn generate(
        backend: Backend,
        keyspace: &str,
        usage: KeyUse,
        suite: Option<Suite>,
        state: KeyState,
        now: u64,
        taken: &[KeyInfo],
    ) -> Result<Self, Error> {
        loop {
            let secret = random::key()?;
            let fingerprint = fingerprint(backend, &secret, keyspace)?;
            let id = KeyId::of_fingerprint(&fingerprint);
            if taken.iter().any(|key| key.id == id) {
                continue;
            }
            let primary = state == KeyState::Active;
            let info = KeyInfo { id, fingerprint, usage, state, primary, suite, created: now, changed: now };
            return Ok(Self { info, secret: BodyKey { id, secret } });
        }
    }
}

/// The public fingerprint of a key (FORMAT 3.2).
pub(crate) fn fingerprint(backend: Backend, key: &SecretBytes<32>, keyspace: &str) -> Result<[u8; 32], Error> {
    Ok(*kdf::derive(backend, key, KeyPurpose::Fingerprint { keyspace })?.expose_bytes())
}

/// Seals `keys` as the body of `file`, whose clear part is final (FORMAT 8.3), and checks the complete file.
pub(crate) fn seal_body(
    backend: Backend,
    mut file: KeyringFile,
    kek: &Kek,
    mut keys: Vec<BodyKey>,
) -> Result<KeyringFile, Error> {
    file.keys.sort_by_key(|key| key.id);
    keys.sort_by_key(|key| key.id);
    let mut plain = PlainBuffer::default();
    // Room for all frames at once, so that the buffer does not move.
    reserve_wiping(plain.vec(), keys.len().saturating_mul(96));
    for key in &keys {
        FrameWriter::new(domain::KEYRING_BODY, plain.vec())
            .part(1, key.id.as_bytes())
            .part(2, key.secret.expose_bytes());
    }
    let body_key = kdf::derive(
        backend,
        kek.secret(),
        KeyPurpose::Body { keyspace: file.keyspace(), generation: file.generation },
    )?;
    file.body.clear();
    let context = file.body_context();
    envelope::seal(backend, body_key, &context, plain.as_mut_slice(), &mut file.body)?;
    file.checked()
}

/// Opens the body of `file`, and checks every key in it (FORMAT 3.4, 8.3).
pub(crate) fn open_body(backend: Backend, file: &KeyringFile, kek: &Kek) -> Result<Vec<BodyKey>, Error> {
    let body_key = kdf::derive(
        backend,
        kek.secret(),
        KeyPurpose::Body { keyspace: file.keyspace(), generation: file.generation },
    )?;
    let mut sealed = PlainBuffer::default();
    reserve_wiping(sealed.vec(), file.body.len());
    sealed.vec().extend_from_slice(&file.body);
    let mut rest: &[u8] = envelope::open(backend, body_key, &file.body_context(), sealed.as_mut_slice())?;
    let mut keys = Vec::with_capacity(file.keys.len());
    for info in file.keys.iter().filter(|info| info.state != KeyState::Destroyed) {
        let ([id, bytes], after) =
            split_frame(domain::KEYRING_BODY, [1, 2], rest).ok_or_else(|| invalid("its body is malformed"))?;
        let secret = <&[u8; 32]>::try_from(bytes).map(SecretBytes::copy_of);
        let secret = secret.map_err(|_| invalid("its body holds a key of a wrong length"))?;
        let genuine = id == info.id.as_bytes()
            && !secret.is_zero()
            && fingerprint(backend, &secret, file.keyspace())? == info.fingerprint;
        if !genuine {
            return Err(invalid("its body holds other keys than the file lists"));
        }
        keys.push(BodyKey { id: info.id, secret });
        rest = after;
    }
    if rest.is_empty() { Ok(keys) } else { Err(invalid("its body holds more keys than the file lists")) }
}

/// Every key of an unlocked keyring.
pub(crate) struct Keys {
    keyspace: Name,
    generation: u64,
    backend: Backend,
    infos: Vec<KeyInfo>,
    primary: Dek,
    /// Ascending by id, without the primary and the destroyed ones.
    others: Vec<Dek>,
    /// Ascending by id, without the destroyed ones. Empty unless they were asked for.
    index_roots: Vec<IndexRoot>,
    made: Made,
}

impl Keys {
    /// Takes the keys of `file`. Whoever has an index root can guess what is indexed, so index roots that were not asked for are wiped
    /// here.
    pub(crate) fn new(
        backend: Backend,
        file: &KeyringFile,
        body: Vec<BodyKey>,
        with_index_roots: bool,
    ) -> Result<Self, Error> {
        let mut others = Vec::with_capacity(body.len());
        let mut index_roots = Vec::new();
        let mut primary = None;
        for BodyKey { id, secret } in body {
            let Some(info) = file.keys.iter().find(|info| info.id == id) else { continue };
            let Some(suite) = info.suite else {
                if with_index_roots {
                    index_roots.push(IndexRoot::new(info, secret));
                }
                continue;
            };
            let dek = Dek::new(info, suite, backend, secret);
            if info.primary { primary = Some(dek) } else { others.push(dek) }
        }
        // Active, since the file was checked (FORMAT 8.1).
        let primary = primary.filter(|dek| dek.state == KeyState::Active);
        let primary = primary.ok_or_else(|| invalid("its primary key is not in its body"))?;
        let (keyspace, infos) = (file.keyspace.clone(), file.keys.clone());
        Ok(Self {
            keyspace,
            generation: file.generation,
            backend,
            infos,
            primary,
            others,
            index_roots,
            made: Made::new(),
        })
    }

    pub(crate) fn keyspace(&self) -> &Name {
        &self.keyspace
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// The ids of the keys and index roots whose bytes are here.
    pub(crate) fn held(&self) -> Vec<KeyId> {
        let deks = iter::once(&self.primary).chain(&self.others).map(|dek| dek.id);
        deks.chain(self.index_roots.iter().map(|root| root.id)).collect()
    }

    pub(crate) fn infos(&self) -> &[KeyInfo] {
        &self.infos
    }

    /// The one key that seals.
    pub(crate) fn primary(&self) -> &Dek {
        &self.primary
    }

    /// The key that a token names (FORMAT 3.7).
    pub(crate) fn find(&self, id: KeyId) -> Result<&Dek, Error> {
        // Almost every token is under the primary.
        if self.primary.id == id {
            return Ok(&self.primary);
        }
        if let Some(dek) = self.others.binary_search_by_key(&id, |dek| dek.id).ok().and_then(|at| self.others.get(at)) {
            return Ok(dek);
        }
        // An index root is never a DEK, in any state (FORMAT 3.7).
        let gone = |info: &KeyInfo| info.usage == KeyUse::Seal && info.state == KeyState::Destroyed;
        let destroyed = self.infos.iter().any(|info| info.id == id && gone(info));
        let kind = if destroyed { ErrorKind::KeyDestroyed } else { ErrorKind::UnknownKey };
        Err(Error::from(kind).with_key(id))
    }

    /// Every index root that is not destroyed, in ascending order of their ids. There are none unless unlocking asked for them
    /// (`UnlockOptions::with_index_roots`); otherwise exactly one is the primary.
    pub(crate) fn index_roots(&self) -> impl Iterator<Item = &IndexRoot> {
        self.index_roots.iter()
    }

    /// The one index root that index values are written under, if unlocking asked for index roots.
    pub(crate) fn primary_index_root(&self) -> Option<&IndexRoot> {
        self.index_roots.iter().find(|root| root.primary)
    }

    /// What was derived from the keys so far.
    pub(crate) fn made(&self) -> &Made {
        &self.made
    }

    /// Whether `id` is a key of this keyring.
    pub(crate) fn knows(&self, id: KeyId) -> bool {
        self.infos.binary_search_by_key(&id, |info| info.id).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::{Keyring, UnlockOptions};
    use crate::root_key::run_local;
    use crate::testing::{insecure_keyring, insecure_keyring_file};

    fn ids(keyring: &Keyring) -> Vec<KeyId> {
        keyring.shares().shared().keys.index_roots().map(|root| root.id).collect()
    }

    #[test]
    fn index_roots_are_kept_for_who_asks_for_them() {
        let (roots, file) = insecure_keyring_file("pharmacy-17").unwrap();
        let unlock =
            |options| run_local(Keyring::unlock_with(options, "pharmacy-17", &roots, &file)).unwrap().unobserved();
        let without = unlock(UnlockOptions::default());
        assert_eq!(ids(&without), []);
        assert!(without.shares().shared().keys.primary_index_root().is_none());

        let with = unlock(UnlockOptions::default().with_index_roots());
        let listed = file.keys.iter().find(|key| key.usage == KeyUse::Index).unwrap();
        assert_eq!(ids(&with), [listed.id]);
        let keys = &with.shares().shared().keys;
        let primary = keys.primary_index_root().unwrap();
        assert_eq!((primary.id, primary.state, primary.primary), (listed.id, KeyState::Active, true));
        // It is still no key of tokens (FORMAT 3.8).
        assert_eq!(keys.find(listed.id).err().unwrap().code().as_str(), "unknown-key");

        assert_eq!(ids(&insecure_keyring("pharmacy-17").unwrap().unobserved()).len(), 1);
    }

    /// FORMAT 3.2
    #[test]
    fn an_index_key_is_of_one_index_in_one_keyspace() {
        let keyring = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let keys = &keyring.shares().shared().keys;
        let root = keys.primary_index_root().unwrap();
        let key = |keyspace, index| *root.index_key(keys.backend(), keyspace, index).unwrap().expose_bytes();
        let born = key("pharmacy-17", "patient.born");
        assert_eq!(born, key("pharmacy-17", "patient.born"));
        assert_ne!(born, key("pharmacy-17", "patient.last"));
        assert_ne!(born, key("pharmacy-18", "patient.born"));
    }
}
