//! The cost that no design can avoid: for each field a raw call with an expanded key, the same AAD and padded length,
//! and base64 of the same length.

use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::common::FIELDS;

/// Magic, letter and key id in front of a token's nonce.
const HEADER_LEN: usize = 9;
const TAG_LEN: usize = 16;

/// A raw cipher, and the sealed bytes that it will open.
pub struct Floor<C> {
    cipher: C,
    /// Where a token's ciphertext begins.
    start: usize,
}

impl<C: AeadInOut> Floor<C> {
    /// `nonce_len` is the nonce's length in a token, which may be less than the cipher's.
    pub fn new(cipher: C, nonce_len: usize) -> Self {
        Self { cipher, start: HEADER_LEN + nonce_len }
    }

    pub fn seal_record(&self) -> [String; 5] {
        FIELDS.map(|(id, value)| self.seal_text(id, value))
    }

    pub fn open_record(&self, texts: &[String; 5]) {
        for ((id, _), text) in FIELDS.iter().zip(texts) {
            self.open_text(id, text);
        }
    }

    pub fn seal_text(&self, id: &str, value: &str) -> String {
        let mut token = [0; 256];
        let len = self.seal_field(id, value, &mut token);
        URL_SAFE_NO_PAD.encode(&token[..len])
    }

    pub fn open_text(&self, id: &str, text: &str) {
        let mut token = [0; 256];
        let len = URL_SAFE_NO_PAD.decode_slice(text, &mut token).unwrap();
        self.open_field(id, &mut token[..len]);
    }

    /// Writes a token and returns its length.
    pub fn seal_field(&self, id: &str, value: &str, token: &mut [u8; 256]) -> usize {
        let padded = (value.len() + 2).next_multiple_of(32);
        let end = self.start + padded;
        token[self.start..][..value.len()].copy_from_slice(value.as_bytes());
        let tag = self.encrypt(id, &mut token[self.start..end]);
        token[end..][..TAG_LEN].copy_from_slice(&tag);
        end + TAG_LEN
    }

    /// Opens a token in place and copies its content.
    pub fn open_field(&self, id: &str, token: &mut [u8]) {
        let (text, tag) = token[self.start..].split_last_chunk_mut::<TAG_LEN>().unwrap();
        self.decrypt(id, text, tag);
        black_box(str::from_utf8(text).unwrap().to_owned());
    }

    pub fn encrypt(&self, id: &str, text: &mut [u8]) -> Tag<C> {
        let (aad, len) = aad(id);
        self.cipher.encrypt_inout_detached(black_box(&nonce::<C>()), &aad[..len], text.into()).unwrap()
    }

    pub fn decrypt(&self, id: &str, text: &mut [u8], tag: &[u8]) {
        let (aad, len) = aad(id);
        let tag = tag.try_into().unwrap();
        self.cipher.decrypt_inout_detached(black_box(&nonce::<C>()), &aad[..len], text.into(), tag).unwrap();
    }
}

fn nonce<C: AeadInOut>() -> Nonce<C> {
    Nonce::<C>::default()
}

fn aad(id: &str) -> ([u8; 105], usize) {
    let mut aad = [7; 105];
    aad[41..41 + id.len()].copy_from_slice(id.as_bytes());
    (aad, 41 + id.len())
}
