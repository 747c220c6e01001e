//! The floor: raw primitives of one backend, and the text of a token.

use std::hint::black_box;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rxseal::keys::Backend;
use sha2::Digest;

use super::common::FIELDS;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [9; 12];

/// AES-256-GCM with an expanded key.
pub enum Raw {
    RustCrypto(Box<Aes256Gcm>),
    #[cfg(feature = "aws-lc")]
    AwsLc(aws_lc_rs::aead::LessSafeKey),
}

impl Raw {
    /// Sets a key up.
    pub fn new(backend: Backend) -> Self {
        match backend {
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => {
                use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
                Self::AwsLc(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, black_box(&KEY)).unwrap()))
            }
            _ => Self::RustCrypto(Box::new(Aes256Gcm::new(black_box(&KEY.into())))),
        }
    }

    /// SHA-256 of as many bytes as a record's context has.
    pub fn digest(&self) {
        let context = black_box([0_u8; 110]);
        match self {
            Self::RustCrypto(_) => {
                black_box(sha2::Sha256::digest(context));
            }
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(_) => {
                black_box(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &context));
            }
        }
    }

    /// The parts of sealing the record that no design can avoid.
    pub fn seal_record(&self) -> [String; 5] {
        getrandom::fill(black_box(&mut [0; 12])).unwrap();
        FIELDS.map(|(id, value)| self.seal(id, value))
    }

    /// The parts of opening the record that no design can avoid.
    pub fn open_record(&self, sealed: &[String; 5]) {
        for ((id, _), text) in FIELDS.iter().zip(sealed) {
            black_box(self.open(id, text));
        }
    }

    /// One raw seal into a token's layout, and its text.
    pub fn seal(&self, id: &str, value: &str) -> String {
        let (aad, len) = aad(id);
        let mut token = [0; 256];
        let padded = (value.len() + 2).next_multiple_of(32);
        token[21..21 + value.len()].copy_from_slice(value.as_bytes());
        let tag = self.encrypt(&aad[..len], &mut token[21..21 + padded]);
        token[21 + padded..37 + padded].copy_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(&token[..37 + padded])
    }

    /// One raw open of a token's layout, and its value.
    pub fn open(&self, id: &str, text: &str) -> String {
        let (aad, len) = aad(id);
        let mut token = [0; 256];
        let size = URL_SAFE_NO_PAD.decode_slice(text, &mut token).unwrap();
        let (body, tag) = token[21..size].split_last_chunk_mut::<16>().unwrap();
        self.decrypt(&aad[..len], body, tag);
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn encrypt(&self, aad: &[u8], text: &mut [u8]) -> [u8; 16] {
        match self {
            Self::RustCrypto(cipher) => cipher.encrypt_inout_detached(&NONCE.into(), aad, text.into()).unwrap().into(),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(NONCE);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), text).unwrap();
                tag.as_ref().try_into().unwrap()
            }
        }
    }

    fn decrypt(&self, aad: &[u8], text: &mut [u8], tag: &[u8; 16]) {
        match self {
            Self::RustCrypto(cipher) => {
                cipher.decrypt_inout_detached(&NONCE.into(), aad, text.into(), tag.into()).unwrap();
            }
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(NONCE);
                key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, text).unwrap();
            }
        }
    }
}

fn aad(id: &str) -> ([u8; 105], usize) {
    let mut aad = [7; 105];
    aad[41..41 + id.len()].copy_from_slice(id.as_bytes());
    (aad, 41 + id.len())
}
