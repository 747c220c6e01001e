//! The closed set of suites (FORMAT 5). Primitives are the RustCrypto crates'; only their composition is ours.

#[cfg(test)]
mod vector_tests;
mod wiped;
mod xaes;

use std::sync::LazyLock;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aes::Aes256Enc;
use aes_gcm::{AesGcm, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;

use crate::error::{Error, ErrorKind};
use crate::secret::SecretBytes;
use wiped::{Blank, Wiped};
pub(crate) use xaes::XaesKey;

/// Bytes of every authentication tag.
pub(crate) const TAG_LEN: usize = 16;

/// The AEAD of a key, fixed when the key is made and written in the keyring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// XAES-256-GCM (C2SP): the default, composed of NIST-approved algorithms. Needs a processor with AES instructions
    /// to be fast; every server of the last ten years has them.
    #[default]
    Xaes256Gcm,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), for machines without AES instructions. 12 bytes more a token.
    XChaCha20Poly1305,
}

impl Suite {
    /// The letter of this suite in a keyring file: `X` or `c`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Xaes256Gcm => 'X',
            Self::XChaCha20Poly1305 => 'c',
        }
    }

    pub(crate) fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "X" => Some(Self::Xaes256Gcm),
            "c" => Some(Self::XChaCha20Poly1305),
            _ => None,
        }
    }

    /// FORMAT 5.1: which letter a key of this suite seals with.
    pub(crate) fn sealing_letter(self, bound: bool) -> Letter {
        match (self, bound) {
            (Self::Xaes256Gcm, true) => Letter::BoundXaes,
            (Self::Xaes256Gcm, false) => Letter::Xaes,
            (Self::XChaCha20Poly1305, _) => Letter::XChaCha,
        }
    }

    /// FORMAT 5.1: which letters a key of this suite opens.
    pub(crate) fn opens(self, letter: Letter) -> bool {
        match self {
            Self::Xaes256Gcm => matches!(letter, Letter::BoundXaes | Letter::Xaes),
            Self::XChaCha20Poly1305 => letter == Letter::XChaCha,
        }
    }
}

/// The suite letter of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letter {
    /// `X`: XAES-256-GCM whose nonce begins with the context digest.
    BoundXaes,
    /// `x`: XAES-256-GCM with all 24 nonce bytes in the token.
    Xaes,
    /// `c`: XChaCha20-Poly1305.
    XChaCha,
}

impl Letter {
    pub(crate) const fn as_byte(self) -> u8 {
        match self {
            Self::BoundXaes => b'X',
            Self::Xaes => b'x',
            Self::XChaCha => b'c',
        }
    }

    /// Nonce bytes on the wire (FORMAT 5).
    pub(crate) const fn nonce_len(self) -> usize {
        match self {
            Self::BoundXaes => 12,
            Self::Xaes | Self::XChaCha => 24,
        }
    }
}

/// A class key with its key set-up done once: what the ciphers of records are made from.
///
/// The large variant is boxed, not the whole: moved to the heap as a whole, the room that the small variant does not use
/// was seen to carry a key that had lain on the stack, and nobody wipes that.
pub(crate) enum ClassCipher {
    Xaes(Wiped<XaesKey>),
    XChaCha(SecretBytes<32>),
}

impl ClassCipher {
    pub(crate) fn new(letter: Letter, key: SecretBytes<32>) -> Self {
        match letter {
            Letter::BoundXaes | Letter::Xaes => Self::Xaes(Wiped::new(XaesKey::new(&key))),
            Letter::XChaCha => Self::XChaCha(key),
        }
    }

    /// The cipher for all messages whose nonce begins with `prefix` (FORMAT 5.2), in the room of `spare` where that fits.
    /// XChaCha20 takes its whole nonce with each message instead.
    pub(crate) fn for_prefix(&self, prefix: &[u8; 12], spare: Option<SpareCipher>) -> MessageCipher {
        match self {
            Self::Xaes(key) => MessageCipher::Gcm(match spare {
                Some(SpareCipher(mut room)) => {
                    room.replace(key.message_cipher(prefix));
                    room
                }
                None => Wiped::new(key.message_cipher(prefix)),
            }),
            Self::XChaCha(key) => MessageCipher::XChaCha(Box::new(XChaCha20Poly1305::new(key.expose_bytes().into()))),
        }
    }
}

/// AES-256-GCM on the encrypting half of AES alone: GCM never decrypts a block, and the other half of the key schedule
/// would be made and wiped for nothing.
type Aes256Gcm = AesGcm<Aes256Enc, U12>;

impl Blank for Aes256Gcm {
    fn blank() -> Self {
        static BLANK: LazyLock<Aes256Gcm> = LazyLock::new(|| Aes256Gcm::new(&[0; 32].into()));
        BLANK.clone()
    }
}

/// An expanded AEAD key. Boxed variant by variant, as for `ClassCipher`; and a vector that grows then moves pointers only.
pub(crate) enum MessageCipher {
    Gcm(Wiped<Aes256Gcm>),
    XChaCha(Box<XChaCha20Poly1305>),
}

/// The room of a wiped cipher, for the next one. There is no way to seal with it.
pub(crate) struct SpareCipher(Wiped<Aes256Gcm>);

impl MessageCipher {
    /// Wipes the key, and keeps its room where that is worth it.
    pub(crate) fn retire(self) -> Option<SpareCipher> {
        match self {
            Self::Gcm(mut room) => {
                room.wipe();
                Some(SpareCipher(room))
            }
            Self::XChaCha(_) => None,
        }
    }

    /// Encrypts in place and gives the tag. `nonce` is the suite's 24 bytes.
    pub(crate) fn seal(&self, nonce: &[u8; 24], aad: &[u8], text: &mut [u8]) -> Result<[u8; TAG_LEN], Error> {
        let tag = match self {
            Self::Gcm(cipher) => cipher.encrypt_inout_detached(gcm_nonce(nonce).into(), aad, text.into()),
            Self::XChaCha(cipher) => cipher.encrypt_inout_detached(nonce.into(), aad, text.into()),
        };
        // Both refuse only what is longer than their limits of 64 GiB and 256 GiB.
        tag.map(Into::into).map_err(|_| ErrorKind::TooLarge.into())
    }

    /// Decrypts `text` into `out`, which is as long. On failure nothing of the plaintext is in `out`.
    pub(crate) fn open(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        text: &[u8],
        tag: &[u8; TAG_LEN],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let buffer = InOutBuf::new(text, out).map_err(|_| ErrorKind::OpenFailed)?;
        match self {
            Self::Gcm(cipher) => cipher.decrypt_inout_detached(gcm_nonce(nonce).into(), aad, buffer, tag.into()),
            Self::XChaCha(cipher) => cipher.decrypt_inout_detached(nonce.into(), aad, buffer, tag.into()),
        }
        .map_err(|_| ErrorKind::OpenFailed.into())
    }

    /// Decrypts in place. On failure `text` is as it was.
    pub(crate) fn open_in_place(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Error> {
        match self {
            Self::Gcm(cipher) => cipher.decrypt_inout_detached(gcm_nonce(nonce).into(), aad, text.into(), tag.into()),
            Self::XChaCha(cipher) => cipher.decrypt_inout_detached(nonce.into(), aad, text.into(), tag.into()),
        }
        .map_err(|_| ErrorKind::OpenFailed.into())
    }
}

/// The half of an XAES nonce that its key is derived from (FORMAT 5.2). The compiler knows that the chunk is there.
pub(crate) fn nonce_prefix(nonce: &[u8; 24]) -> &[u8; 12] {
    nonce.first_chunk().unwrap_or(&[0; 12])
}

/// The half that AES-256-GCM takes.
fn gcm_nonce(nonce: &[u8; 24]) -> &[u8; 12] {
    nonce.last_chunk().unwrap_or(&[0; 12])
}

/// The part of a nonce that stands in a token (FORMAT 5): for letter `X` without the context's half.
pub(crate) fn on_wire(letter: Letter, nonce: &[u8; 24]) -> &[u8] {
    match letter {
        Letter::BoundXaes => gcm_nonce(nonce),
        Letter::Xaes | Letter::XChaCha => nonce,
    }
}

/// One message under XAES-256-GCM with its random nonce in front: `nonce (24) | ciphertext | tag (16)`. Keyring bodies
/// (FORMAT 8.3), local root wraps (9.2) and wrapped subject keys (10) have this form.
pub(crate) mod envelope {
    use super::{ClassCipher, Letter, TAG_LEN};
    use crate::error::{Error, ErrorKind};
    use crate::random;
    use crate::secret::SecretBytes;

    const NONCE_LEN: usize = 24;
    pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

    /// Appends the sealed form of `text` to `out`, which never holds the plaintext but in place of the ciphertext.
    pub(crate) fn seal(key: SecretBytes<32>, aad: &[u8], text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let mut nonce = [0; NONCE_LEN];
        random::fill(&mut nonce)?;
        out.reserve_exact(text.len().saturating_add(OVERHEAD));
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(text);
        let tag = cipher(key, &nonce).seal(&nonce, aad, out.get_mut(start..).unwrap_or_default())?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens `sealed` in place and gives the plaintext in it.
    pub(crate) fn open<'a>(key: SecretBytes<32>, aad: &[u8], sealed: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or(ErrorKind::OpenFailed)?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(ErrorKind::OpenFailed)?;
        cipher(key, nonce).open_in_place(nonce, aad, text, tag)?;
        Ok(text)
    }

    fn cipher(key: SecretBytes<32>, nonce: &[u8; NONCE_LEN]) -> super::MessageCipher {
        ClassCipher::new(Letter::Xaes, key).for_prefix(super::nonce_prefix(nonce), None)
    }
}
