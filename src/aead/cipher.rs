//! Expanded keys: of a class, and of the messages of a class.

use std::sync::LazyLock;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aes::Aes256Enc;
use aes_gcm::{AesGcm, KeyInit};
use chacha20::{R20, hchacha};
use chacha20poly1305::ChaCha20Poly1305;

#[cfg(feature = "aws-lc")]
use super::aws_lc;
use super::wiped::{Blank, Wiped};
use super::xaes::XaesKey;
use super::{Letter, Suite, TAG_LEN, aead_nonce, key_prefix};
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
#[cfg(feature = "aws-lc")]
use crate::secret::wipe_stack_below;
use crate::secret::{SecretBytes, wipe};

/// A class key whose key set-up is already done. It makes the ciphers of records.
///
/// The large variants are boxed, not the whole: see "No unwritten room" in `secret`.
pub(crate) enum ClassCipher {
    Xaes(Wiped<XaesKey<Aes256Enc>>),
    XChaCha(Backend, SecretBytes<32>),
    #[cfg(feature = "aws-lc")]
    AwsLcXaes(Box<XaesKey<aws_lc::Aes>>),
}

impl ClassCipher {
    pub(crate) fn new(backend: Backend, letter: Letter, key: SecretBytes<32>) -> Result<Self, Error> {
        let cipher = Self::expand(backend, letter, key);
        #[cfg(feature = "aws-lc")]
        if backend == Backend::AwsLc {
            // aws-lc-rs passes expanded keys from frame to frame on the stack, and unwritten room would pick them up.
            wipe_stack_below();
        }
        cipher
    }

    #[inline(never)]
    fn expand(backend: Backend, letter: Letter, key: SecretBytes<32>) -> Result<Self, Error> {
        Ok(match (letter.suite(), backend) {
            (Suite::XChaCha20Poly1305, _) => Self::XChaCha(backend, key),
            (Suite::Xaes256Gcm, Backend::RustCrypto) => {
                let aes = Aes256Enc::new(key.expose_bytes().into());
                Self::Xaes(Wiped::new(XaesKey::new(aes)?))
            }
            #[cfg(feature = "aws-lc")]
            (Suite::Xaes256Gcm, Backend::AwsLc) => {
                Self::AwsLcXaes(Box::new(XaesKey::new(aws_lc::Aes::new(key.expose_bytes())?)?))
            }
        })
    }

    /// The cipher for all messages whose nonce has the same [`key_prefix`] as this one (FORMAT 5.2). It reuses the room
    /// of `spare` if that fits.
    pub(crate) fn for_nonce(&self, nonce: &[u8; 24], spare: Option<SpareCipher>) -> Result<MessageCipher, Error> {
        match self {
            Self::Xaes(class_key) => class_key.with_message_key(nonce, |key| {
                let cipher = Aes256Gcm::new(key.into());
                Ok(MessageCipher::Gcm(match spare {
                    Some(SpareCipher(mut room)) => {
                        room.replace(cipher);
                        room
                    }
                    None => Wiped::new(cipher),
                }))
            }),
            #[cfg(feature = "aws-lc")]
            Self::AwsLcXaes(class_key) => {
                class_key.with_message_key(nonce, |key| Ok(MessageCipher::AwsLc(Box::new(aws_lc::Key::gcm(key)?))))
            }
            // draft-irtf-cfrg-xchacha-03, section 2.3: the key of all nonces that begin with the same 16 bytes.
            Self::XChaCha(backend, key) => {
                let prefix = key_prefix(Letter::XChaCha, nonce);
                let mut subkey: [u8; 32] = hchacha::<R20>(key.expose_bytes().into(), &prefix.into()).into();
                let cipher: Result<_, ErrorKind> = match backend {
                    Backend::RustCrypto => Ok(MessageCipher::ChaCha(Box::new(ChaCha20Poly1305::new((&subkey).into())))),
                    #[cfg(feature = "aws-lc")]
                    Backend::AwsLc => aws_lc::Key::chacha(&subkey).map(|key| MessageCipher::AwsLc(Box::new(key))),
                };
                wipe(&mut subkey);
                cipher.map_err(Error::from)
            }
        }
    }
}

/// AES-256-GCM with only the encrypting half of AES. GCM never decrypts a block, so the other half of the key schedule
/// would be made and wiped for nothing.
pub(super) type Aes256Gcm = AesGcm<Aes256Enc, U12>;

impl Blank for Aes256Gcm {
    fn blank() -> Self {
        static BLANK: LazyLock<Aes256Gcm> = LazyLock::new(|| Aes256Gcm::new(&[0; 32].into()));
        BLANK.clone()
    }
}

/// An expanded AEAD key. Each variant is boxed, as in `ClassCipher`, so a vector that grows moves only pointers.
pub(crate) enum MessageCipher {
    Gcm(Wiped<Aes256Gcm>),
    ChaCha(Box<ChaCha20Poly1305>),
    #[cfg(feature = "aws-lc")]
    AwsLc(Box<aws_lc::Key>),
}

/// The room of a wiped cipher, for the next one. It cannot seal.
pub(crate) struct SpareCipher(Wiped<Aes256Gcm>);

impl MessageCipher {
    /// Wipes the key, and keeps its room if that is worth it.
    pub(crate) fn retire(self) -> Option<SpareCipher> {
        match self {
            Self::Gcm(mut room) => {
                room.wipe();
                Some(SpareCipher(room))
            }
            Self::ChaCha(_) => None,
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(_) => None,
        }
    }

    /// Encrypts in place and returns the tag. `nonce` is the suite's 24 bytes.
    pub(crate) fn seal(
        &self,
        letter: Letter,
        nonce: &[u8; 24],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Error> {
        let nonce = aead_nonce(letter, nonce);
        let tag = match self {
            Self::Gcm(cipher) => cipher.encrypt_inout_detached(&nonce.into(), aad, text.into()),
            Self::ChaCha(cipher) => cipher.encrypt_inout_detached(&nonce.into(), aad, text.into()),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => return key.seal(nonce, aad, text),
        };
        // Both refuse only input that is longer than their limits of 64 GiB and 256 GiB.
        tag.map(Into::into).map_err(|_| ErrorKind::TooLarge.into())
    }

    /// Decrypts `text` into `out`, which has the same length. On failure `out` contains nothing of the plaintext.
    pub(crate) fn open(
        &self,
        letter: Letter,
        nonce: &[u8; 24],
        aad: &[u8],
        text: &[u8],
        tag: &[u8; TAG_LEN],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let buffer = InOutBuf::new(text, out).map_err(|_| ErrorKind::OpenFailed)?;
        match self {
            Self::Gcm(cipher) => decrypt(&**cipher, letter, nonce, aad, buffer, tag),
            Self::ChaCha(cipher) => decrypt(&**cipher, letter, nonce, aad, buffer, tag),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => key.open(aead_nonce(letter, nonce), aad, text, tag, out),
        }
    }

    /// Decrypts in place. On failure `text` is unchanged.
    pub(crate) fn open_in_place(
        &self,
        letter: Letter,
        nonce: &[u8; 24],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Error> {
        match self {
            Self::Gcm(cipher) => decrypt(&**cipher, letter, nonce, aad, text.into(), tag),
            Self::ChaCha(cipher) => decrypt(&**cipher, letter, nonce, aad, text.into(), tag),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => key.open_in_place(aead_nonce(letter, nonce), aad, text, tag),
        }
    }
}

fn decrypt<C: AeadInOut<NonceSize = U12, TagSize = U16>>(
    cipher: &C,
    letter: Letter,
    nonce: &[u8; 24],
    aad: &[u8],
    buffer: InOutBuf<'_, '_, u8>,
    tag: &[u8; TAG_LEN],
) -> Result<(), Error> {
    let opened = cipher.decrypt_inout_detached(&aead_nonce(letter, nonce).into(), aad, buffer, tag.into());
    opened.map_err(|_| ErrorKind::OpenFailed.into())
}
