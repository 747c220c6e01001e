//! The AEADs of AWS-LC.

use aws_lc_rs::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};

use super::TAG_LEN;
use super::xaes::{self, Block};
use crate::error::{Error, ErrorKind};

/// AWS-LC could not allocate a key, or its self-test failed.
fn broken<E>(_: E) -> ErrorKind {
    ErrorKind::BackendFailed
}

/// AES-256 for the blocks of XAES's derivation.
pub(crate) struct Aes(EncryptingKey);

impl Aes {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, ErrorKind> {
        let key = UnboundCipherKey::new(&AES_256, key).map_err(broken)?;
        EncryptingKey::ecb(key).map(Self).map_err(broken)
    }
}

impl xaes::Aes for Aes {
    fn encrypt<const N: usize>(&self, blocks: &mut [Block; N]) -> Result<(), ErrorKind> {
        self.0.encrypt(blocks.as_flattened_mut()).map(drop).map_err(broken)
    }
}

/// An expanded AEAD key in AWS-LC's memory, which AWS-LC wipes when it frees it.
pub(crate) struct Key(LessSafeKey);

impl Key {
    pub(super) fn gcm(key: &[u8; 32]) -> Result<Self, ErrorKind> {
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(broken)?)))
    }

    pub(super) fn chacha(key: &[u8; 32]) -> Result<Self, ErrorKind> {
        Ok(Self(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).map_err(broken)?)))
    }

    pub(super) fn seal(&self, nonce: [u8; 12], aad: &[u8], text: &mut [u8]) -> Result<[u8; TAG_LEN], Error> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), text).map_err(|_| ErrorKind::TooLarge)?;
        tag.as_ref().try_into().map_err(|_| ErrorKind::BackendFailed.into())
    }

    pub(super) fn open(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        text: &[u8],
        tag: &[u8; TAG_LEN],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.0.open_separate_gather(nonce, Aad::from(aad), text, tag, out);
        opened.map_err(|_| ErrorKind::OpenFailed.into())
    }

    /// AWS-LC clears a ciphertext that does not open, so a copy of it, which is not secret, is kept meanwhile.
    pub(super) fn open_in_place(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Error> {
        let sealed = text.to_vec();
        let opened = self.open(nonce, aad, &sealed, tag, text);
        if opened.is_err() {
            text.copy_from_slice(&sealed);
        }
        opened
    }
}
