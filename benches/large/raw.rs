//! The floor: one call of a backend's AES-256-GCM in place, with an expanded key.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use rxseal::keys::Backend;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [9; 12];
/// As long as the AAD of the field.
const AAD: [u8; 51] = [7; 51];

pub enum Raw {
    RustCrypto(Box<Aes256Gcm>),
    #[cfg(feature = "aws-lc")]
    AwsLc(aws_lc_rs::aead::LessSafeKey),
}

impl Raw {
    pub fn new(backend: Backend) -> Self {
        match backend {
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => {
                use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
                Self::AwsLc(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY).unwrap()))
            }
            _ => Self::RustCrypto(Box::new(Aes256Gcm::new(&KEY.into()))),
        }
    }

    /// Returns the tag.
    pub fn seal(&self, text: &mut [u8]) -> [u8; 16] {
        match self {
            Self::RustCrypto(cipher) => cipher.encrypt_inout_detached(&NONCE.into(), &AAD, text.into()).unwrap().into(),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(NONCE);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(AAD), text).unwrap();
                tag.as_ref().try_into().unwrap()
            }
        }
    }

    pub fn open(&self, text: &mut [u8], tag: &[u8; 16]) {
        match self {
            Self::RustCrypto(cipher) => {
                cipher.decrypt_inout_detached(&NONCE.into(), &AAD, text.into(), tag.into()).unwrap();
            }
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(NONCE);
                key.open_in_place_separate_tag(nonce, Aad::from(AAD), tag, text).unwrap();
            }
        }
    }
}
