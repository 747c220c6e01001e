//! vitaminc-encrypt: one cipher for all, the pair of record id and field id as its context, one sealed leaf a field.

use std::hint::black_box;

use vitaminc_encrypt::{Aes256Cipher, CipherText, Key, LocalCipherText, decrypt, encrypt};

use super::{Binding, Bound, Facts, Peer, Place};
use crate::record::{COUNT, FIELDS, OTHER_RECORD_ID, RECORD_ID};

/// Read in vitaminc-encrypt, vitaminc-aead and vitaminc-random 0.8.1 (`src/`).
pub const FACTS: Facts = Facts {
    name: "vitaminc-encrypt",
    package: "vitaminc-encrypt",
    primitive: "aws-lc-rs",
    form: "bytes",
    floor: Some("floor: aws-lc-rs, bytes"),
    binding: Some(Binding {
        tenant: Bound::IfCaller,
        // encrypt cipher.rs:84-104: the caller's context, then the version of the leaf.
        record: Bound::ByCaller,
        field: Bound::ByCaller,
        // aead ciphertext/mod.rs:33: version, nonce, ciphertext, tag.
        key_id: Bound::No,
        key_id_at: "none",
        // encrypt cipher.rs:45-48.
        keys: "one for all",
        // aead nonce.rs:33-54, random safe_rand.rs:16-20; 12 bytes a field, and no thread may share a cipher.
        random: "user space: ChaCha20, seeded once per cipher, not reseeded after fork",
        // encrypt key.rs:26, aead encrypt_sink.rs:259, ciphertext/read_monads.rs:77-101. AWS-LC keeps the schedule.
        wipes: "the key's bytes and buffers of plaintext",
    }),
};

pub struct Vitaminc {
    cipher: Aes256Cipher,
}

impl Vitaminc {
    pub fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).unwrap();
        Self { cipher: Aes256Cipher::new(&Key::from(key)).unwrap() }
    }

    fn seal_one(&self, field: &str, value: &str) -> LocalCipherText {
        match encrypt(black_box(value), &self.cipher, (black_box(RECORD_ID), field)).unwrap() {
            CipherText::Single(leaf) => leaf,
            _ => unreachable!("a text is one leaf"),
        }
    }

    /// The cipher takes the leaf by value, so the stored one is copied first.
    fn open_one(&self, record_id: &str, field: &str, stored: &LocalCipherText) -> Option<String> {
        let leaf = LocalCipherText::from(stored.as_ref().to_vec());
        decrypt(&self.cipher, CipherText::Single(leaf), (black_box(record_id), field)).ok()
    }
}

impl Peer for Vitaminc {
    type Stored = LocalCipherText;

    fn seal(&mut self) -> [LocalCipherText; COUNT] {
        FIELDS.map(|(field, value)| self.seal_one(field, value))
    }

    fn open(&mut self, stored: &[LocalCipherText; COUNT]) -> [String; COUNT] {
        std::array::from_fn(|at| self.open_one(RECORD_ID, FIELDS[at].0, &stored[at]).unwrap())
    }

    fn seal_name(&mut self, name: &str) -> LocalCipherText {
        self.seal_one(FIELDS[0].0, name)
    }

    fn opens_at(&mut self, stored: &LocalCipherText, place: Place) -> Option<bool> {
        match place {
            Place::Tenant => None,
            Place::Record => Some(self.open_one(OTHER_RECORD_ID, FIELDS[0].0, stored).is_some()),
            Place::Field => Some(self.open_one(RECORD_ID, FIELDS[1].0, stored).is_some()),
        }
    }
}
