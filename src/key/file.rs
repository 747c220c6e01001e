//! The keyring file, checked without a key (FORMAT 8). Its text is read and written in `file/json.rs`.

mod json;

use std::fmt;

use super::info::{KeyInfo, KeyState, KeyUse};
use crate::aead::{Suite, envelope};
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::Name;
use crate::kdf::sha256;

/// The format's version and the kind of file, which the text states and the body is bound to.
const VERSION: u8 = 1;
const KIND: &str = "full";
pub(crate) const MAX_KEYS: usize = 1024;
const MAX_WRAPS: usize = 16;
const MAX_WRAPPED: usize = 8192;
const MAX_ROOT_KEY: usize = 2048;
/// 2^53 - 1, the largest integer that every JSON reader keeps exactly.
pub(crate) const MAX_NUMBER: u64 = 9_007_199_254_740_991;

/// A keyring at rest: public descriptions, the KEK wrapped by one or several root keys, and the sealed key bytes.
///
/// It is not secret, because it is worthless without a root key. It is authenticated when it is unlocked, so you may keep it in a
/// file, a JSON column or a configuration store. Keep the file of each generation until the next one has been unlocked.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let (roots, stored) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// let text = stored.to_string();                      // store this
/// let read: rxseal::keys::KeyringFile = text.parse()?;      // and read it back, without any key
/// assert_eq!(read.keyspace(), "pharmacy-17");
/// assert_eq!(read.generation(), 1);
/// for key in read.keys() {
///     println!("{} {} {}", key.id(), key.usage().as_str(), key.state());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeyringFile {
    pub(crate) keyspace: Name,
    pub(crate) generation: u64,
    pub(crate) kek_fingerprint: [u8; 32],
    /// Ascending by id.
    pub(crate) keys: Vec<KeyInfo>,
    pub(crate) wraps: Vec<Wrap>,
    pub(crate) body: Vec<u8>,
}

/// A KEK wrapped by one root key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wrap {
    pub(crate) provider: Name,
    pub(crate) root_key: Box<str>,
    pub(crate) wrapped: Vec<u8>,
}

impl Wrap {
    /// A wrap within the bounds of FORMAT 8.
    pub(crate) fn new(provider: &str, root_key: &str, wrapped: Vec<u8>) -> Result<Self, Error> {
        let provider = Name::parse("provider", provider)?;
        let named =
            (1..=MAX_ROOT_KEY).contains(&root_key.len()) && root_key.bytes().all(|byte| byte.is_ascii_graphic());
        if !named || !(1..=MAX_WRAPPED).contains(&wrapped.len()) {
            return Err(invalid("a wrap names no root key, or its wrapped key has an impossible length"));
        }
        Ok(Self { provider, root_key: root_key.into(), wrapped })
    }

    pub(crate) fn is_of(&self, provider: &str, root_key: &str) -> bool {
        self.provider.as_str() == provider && *self.root_key == *root_key
    }
}

/// A root key that can unlock the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrapInfo<'a> {
    provider: &'a str,
    root_key: &'a str,
}

impl<'a> WrapInfo<'a> {
    /// The provider, such as `local`.
    #[must_use]
    pub fn provider(&self) -> &'a str {
        self.provider
    }

    /// The root key's name at the provider.
    #[must_use]
    pub fn root_key(&self) -> &'a str {
        self.root_key
    }
}

impl KeyringFile {
    /// How long the text of a keyring file may be, in bytes (FORMAT 8). A store need not read more.
    pub const MAX_LEN: usize = 1024 * 1024;

    /// The keyspace in the file. Like everything here, it is authentic only after the keyring was unlocked.
    #[must_use]
    pub fn keyspace(&self) -> &str {
        self.keyspace.as_str()
    }

    /// The generation, which grows by one with every change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The fingerprint of the KEK, which tells whether two files are under the same one. It stays until `rewrap`, so whoever has that KEK
    /// reads every generation until then.
    #[must_use]
    pub fn kek_fingerprint(&self) -> &[u8; 32] {
        &self.kek_fingerprint
    }

    /// Its keys in ascending order of their ids.
    #[must_use]
    pub fn keys(&self) -> &[KeyInfo] {
        &self.keys
    }

    /// The root keys that can unlock the keyring. Any one of them suffices, so the weakest decides.
    pub fn wraps(&self) -> impl Iterator<Item = WrapInfo<'_>> {
        self.wraps.iter().map(|wrap| WrapInfo { provider: wrap.provider.as_str(), root_key: &wrap.root_key })
    }

    /// Checks everything that can be wrong before a provider is called (FORMAT 8.1).
    pub(crate) fn checked(mut self) -> Result<Self, Error> {
        if !(1..=MAX_NUMBER).contains(&self.generation) {
            return Err(invalid("the generation is out of bounds"));
        }
        if self.keys.len() > MAX_KEYS {
            return Err(invalid("it has more than 1,024 keys"));
        }
        if self.body.len() < envelope::OVERHEAD {
            return Err(invalid("its body is too short"));
        }
        if !(1..=MAX_WRAPS).contains(&self.wraps.len()) {
            return Err(invalid("it has no wrap, or more than 16"));
        }
        self.keys.sort_by_key(|key| key.id);
        if self.keys.windows(2).any(|pair| matches!(pair, [a, b] if a.id == b.id)) {
            return Err(invalid("two keys have the same id"));
        }
        for (at, wrap) in self.wraps.iter().enumerate() {
            let same = |other: &Wrap| other.provider == wrap.provider && other.root_key == wrap.root_key;
            if self.wraps.iter().skip(at).skip(1).any(same) {
                return Err(invalid("two wraps name the same root key"));
            }
        }
        for usage in [KeyUse::Seal, KeyUse::Index] {
            if self.keys.iter().filter(|key| key.usage == usage && key.primary).count() != 1 {
                return Err(invalid("it does not have exactly one primary key for each use"));
            }
        }
        if self.keys.iter().any(|key| key.primary && key.state != KeyState::Active) {
            return Err(invalid("a primary key is not active"));
        }
        Ok(self)
    }

    /// The AAD of the body (FORMAT 8.2).
    pub(crate) fn body_context(&self) -> Vec<u8> {
        let mut list = Vec::with_capacity(self.keys.len().saturating_mul(160));
        for key in &self.keys {
            let suite = key.suite.map(|suite| [u8::try_from(suite.letter()).unwrap_or_default()]);
            FrameWriter::new(domain::KEYRING_KEY, &mut list)
                .part(1, key.id.as_bytes())
                .part(2, &key.fingerprint)
                .part(3, key.usage.as_str().as_bytes())
                .part(4, key.state.as_str().as_bytes())
                .optional_part(5, suite.as_ref().map(<[u8; 1]>::as_slice))
                .optional_part(6, key.primary.then_some(&[1]))
                .part(7, &key.created.to_be_bytes())
                .part(8, &key.changed.to_be_bytes());
        }
        let mut context = Vec::with_capacity(list.len().saturating_add(256));
        FrameWriter::new(domain::KEYRING, &mut context)
            .part(1, &[VERSION])
            .part(2, self.keyspace.as_str().as_bytes())
            .part(3, KIND.as_bytes())
            .part(5, &self.generation.to_be_bytes())
            .part(8, &self.kek_fingerprint)
            .part(9, &list);
        context
    }

    /// A digest of everything that the KEK vouches for, to tell two files of one generation apart. It leaves out the wraps, because a
    /// damaged wrap may be repaired.
    pub(crate) fn digest(&self, backend: Backend) -> [u8; 32] {
        let mut content = self.body_context();
        content.extend_from_slice(&self.body);
        sha256(backend, &content)
    }

    /// The suite of the primary DEK.
    pub(crate) fn primary_suite(&self) -> Suite {
        self.keys
            .iter()
            .find(|key| key.primary && key.usage == KeyUse::Seal)
            .and_then(|key| key.suite)
            .unwrap_or_default()
    }
}

pub(crate) fn invalid(reason: Reason) -> Error {
    ErrorKind::InvalidKeyring.because(reason)
}

impl fmt::Debug for KeyringFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringFile")
            .field("keyspace", &self.keyspace())
            .field("generation", &self.generation)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
