//! The keys of checkpoints, in the text forms of C2SP signed notes.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Kind, WatchError};

/// The type of an Ed25519 key in signed notes.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";

const NAME: Kind =
    Kind::Key("the name of a signing key is 1 to 255 characters of printable ASCII without space and plus");
const MALFORMED: Kind = Kind::Key("this is not a key of a signed note");

/// The key that signs checkpoints. Keep it on the host that writes the log, and in no keyring: whoever verifies a log must not be able to open
/// data, and whoever opens data must not verify it. Its text form is `PRIVATE+KEY+<name>+<hash>+<key>`; `rxseal audit keygen` makes one.
///
/// ```
/// use rxseal_watch::SigningKey;
/// let key = SigningKey::generate("pharmacy-17.example")?;
/// let again: SigningKey = key.expose_text().parse()?;
/// assert_eq!(again.verifier(), key.verifier());
/// # Ok::<(), rxseal_watch::WatchError>(())
/// ```
// Wiped on drop by ed25519-dalek's feature `zeroize`; on the heap, so that a move leaves no copy.
pub struct SigningKey {
    name: Box<str>,
    key: Box<ed25519_dalek::SigningKey>,
}

/// The public half of a [`SigningKey`], for whoever verifies. Its text form is `<name>+<hash>+<key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: Box<str>,
    key: ed25519_dalek::VerifyingKey,
}

impl SigningKey {
    /// A new random key with this name, which checkpoints carry: 1 to 255 characters of printable ASCII without space and plus, such as the host
    /// name of the service.
    ///
    /// # Errors
    ///
    /// `invalid-key` for any other name, `random-failed`.
    pub fn generate(name: &str) -> Result<Self, WatchError> {
        let mut seed = Zeroizing::new([0; 32]);
        let filled = getrandom::fill(seed.as_mut_slice());
        filled.map_err(|error| WatchError::from(Kind::Random).caused_by(error.to_string()))?;
        Self::from_seed(name, &seed)
    }

    pub(crate) fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, WatchError> {
        if !is_name(name) {
            return Err(NAME.into());
        }
        Ok(Self { name: name.into(), key: Box::new(ed25519_dalek::SigningKey::from_bytes(seed)) })
    }

    /// The name that checkpoints carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Its text, secret: for a file that only the service may read. It is wiped on drop.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; 33]);
        if let Some((kind, seed)) = bytes.split_first_mut() {
            *kind = ED25519;
            seed.copy_from_slice(self.key.as_bytes());
        }
        let mut text = Zeroizing::new(String::with_capacity(self.name.len().saturating_add(80)));
        text.push_str(PRIVATE);
        push_named(&mut text, &self.name, self.verifier().hash());
        STANDARD.encode_string(*bytes, &mut text);
        text
    }

    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        let signature = self.key.sign(text);
        [self.verifier().hash().as_slice(), &signature.to_bytes()].concat()
    }
}

impl FromStr for SigningKey {
    type Err = WatchError;

    fn from_str(text: &str) -> Result<Self, WatchError> {
        let (name, hash, encoded) = split_named(text.strip_prefix(PRIVATE).ok_or(MALFORMED)?)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| MALFORMED)?);
        let seed = bytes.strip_prefix(&[ED25519]).and_then(|seed| <&[u8; 32]>::try_from(seed).ok()).ok_or(MALFORMED)?;
        let key = Self::from_seed(name, seed)?;
        if key.verifier().hash() == hash { Ok(key) } else { Err(MALFORMED.into()) }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl VerifierKey {
    /// The name that checkpoints carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first 4 bytes of `SHA-256(name | 0x0A | type | key)`.
    pub(super) fn hash(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(self.key.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        [a, b, c, d]
    }

    /// Strictly: a signature has one spelling, and no key of small order is accepted.
    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
    }
}

impl FromStr for VerifierKey {
    type Err = WatchError;

    fn from_str(text: &str) -> Result<Self, WatchError> {
        let (name, hash, encoded) = split_named(text)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| MALFORMED)?;
        let key = bytes.strip_prefix(&[ED25519]).and_then(|key| <&[u8; 32]>::try_from(key).ok()).ok_or(MALFORMED)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| MALFORMED)?;
        let key = Self { name: name.into(), key };
        if key.hash() == hash { Ok(key) } else { Err(MALFORMED.into()) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        push_named(&mut text, &self.name, self.hash());
        STANDARD.encode_string([[ED25519].as_slice(), self.key.as_bytes()].concat(), &mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

fn push_named(text: &mut String, name: &str, hash: [u8; 4]) {
    text.push_str(name);
    let hash = u32::from_be_bytes(hash);
    text.extend(["+", &format!("{hash:08x}"), "+"]);
}

/// Name, hash and what is encoded of `<name>+<hash>+<key>`.
fn split_named(text: &str) -> Result<(&str, [u8; 4], &str), WatchError> {
    let mut parts = text.trim_end_matches('\n').splitn(3, '+');
    let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(MALFORMED.into());
    };
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let hash = is_hash.then(|| u32::from_str_radix(hash, 16).ok()).flatten().ok_or(MALFORMED)?;
    if is_name(name) { Ok((name, hash.to_be_bytes(), key)) } else { Err(NAME.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_one_form() {
        let key = SigningKey::generate("ph17-a.example").unwrap();
        let text = key.expose_text();
        let again: SigningKey = format!("{}\n", &**text).parse().unwrap();
        assert_eq!(again.verifier().to_string(), key.verifier().to_string());
        assert!(!format!("{key:?}").contains(&text[text.len() - 20..]));
        let verifier = key.verifier().to_string();
        for bad in ["", "a+b", &verifier[1..], &verifier.replace("+A", "+B"), &format!("{verifier}A"), &text] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
        for bad in ["", "PRIVATE+KEY+", &text[1..], &text.replace("a.example", "b.example"), &verifier] {
            assert!(bad.parse::<SigningKey>().is_err(), "{bad}");
        }
        for bad in ["", "a b", "a+b", "\u{e9}", &"x".repeat(256)] {
            assert_eq!(SigningKey::generate(bad).unwrap_err().code(), "invalid-key", "{bad}");
        }
    }
}
