//! Tink in Rust: the KMS envelope, whose KMS is a keyset in this process, and a plain keyset. Both take the record id
//! and the field id as associated data, and return bytes.
//!
//! A real KMS is called for every field, in both directions (kms_envelope_aead.rs:54 and 84), and takes milliseconds.

use std::hint::black_box;

use tink_aead::{KmsEnvelopeAead, aes256_gcm_key_template};
use tink_core::Aead;
use tink_core::keyset::Handle;

use super::{Binding, Bound, Facts, Peer, Place, name};
use crate::record::{COUNT, FIELDS, OTHER_RECORD_ID, RECORD_ID, aad};

/// Read in tink-aead 0.3.0, tink-core 0.3.0 (`src/`) and rand 0.8.8.
pub const ENVELOPE: Facts = Facts {
    name: name::TINK_ENVELOPE,
    package: "tink-aead",
    primitive: "aes-gcm",
    form: "bytes",
    floor: Some("floor: aes-gcm, bytes"),
    binding: Some(Binding {
        tenant: Bound::IfCaller,
        // kms_envelope_aead.rs:60 and 95: the AAD goes to the payload; line 54 and 84: the wrapped key has an empty one.
        record: Bound::ByCaller,
        field: Bound::ByCaller,
        // kms_envelope_aead.rs:100-109: length, wrapped key, payload. The KMS decides what is in its blob.
        key_id: Bound::No,
        key_id_at: "only in what the KMS wraps",
        // kms_envelope_aead.rs:53-59.
        keys: "one per field, random, wrapped by the KMS under an empty AAD",
        // tink-core subtle/random.rs:22-26; rand rngs/thread.rs:38-54; 32 + 12 bytes a field, and 12 of the KMS here.
        random: "user space: rand's ThreadRng, reseeded every 64 KiB and after fork",
        // Neither tink-aead nor tink-core names zeroize. aes-gcm 0.10 wipes its schedule if any crate turns that
        // feature on. asherah's tree does, so it does here. It costs Tink 17 of 6,500 instructions an operation
        // (callgrind).
        wipes: "nothing of its own",
    }),
};

pub const KEYSET: Facts = Facts {
    name: "Tink keyset",
    binding: Some(Binding {
        tenant: Bound::IfCaller,
        record: Bound::ByCaller,
        field: Bound::ByCaller,
        // aead_factory.rs:75-78: 5 bytes in front of the ciphertext that select the key.
        key_id: Bound::No,
        key_id_at: "at the front; another one selects another key",
        // aead_factory.rs:68-75.
        keys: "one for all",
        random: "user space: rand's ThreadRng, reseeded every 64 KiB and after fork",
        wipes: "nothing of its own",
    }),
    ..ENVELOPE
};

pub struct Tink {
    aead: Box<dyn Aead>,
    aad: Vec<u8>,
}

impl Tink {
    pub fn envelope() -> Self {
        let envelope = KmsEnvelopeAead::new(aes256_gcm_key_template(), keyset());
        Self { aead: Box::new(envelope), aad: Vec::new() }
    }

    pub fn keyset() -> Self {
        Self { aead: keyset(), aad: Vec::new() }
    }

    fn encrypt(&mut self, record_id: &str, field: &str, value: &str) -> Vec<u8> {
        let aad = aad(&mut self.aad, black_box(record_id), field);
        self.aead.encrypt(black_box(value).as_bytes(), aad).unwrap()
    }

    fn decrypt(&mut self, record_id: &str, field: &str, stored: &[u8]) -> Option<String> {
        let aad = aad(&mut self.aad, black_box(record_id), field);
        self.aead.decrypt(stored, aad).ok().map(|text| String::from_utf8(text).unwrap())
    }
}

impl Peer for Tink {
    type Stored = Vec<u8>;

    fn seal(&mut self) -> [Vec<u8>; COUNT] {
        FIELDS.map(|(field, value)| self.encrypt(RECORD_ID, field, value))
    }

    fn open(&mut self, stored: &[Vec<u8>; COUNT]) -> [String; COUNT] {
        std::array::from_fn(|at| self.decrypt(RECORD_ID, FIELDS[at].0, &stored[at]).unwrap())
    }

    fn seal_name(&mut self, name: &str) -> Vec<u8> {
        self.encrypt(RECORD_ID, FIELDS[0].0, name)
    }

    fn opens_at(&mut self, stored: &Vec<u8>, place: Place) -> Option<bool> {
        match place {
            Place::Tenant => None,
            Place::Record => Some(self.decrypt(OTHER_RECORD_ID, FIELDS[0].0, stored).is_some()),
            Place::Field => Some(self.decrypt(RECORD_ID, FIELDS[1].0, stored).is_some()),
        }
    }
}

/// A keyset of one AES-256-GCM key.
fn keyset() -> Box<dyn Aead> {
    tink_aead::init();
    tink_aead::new(&Handle::new(&aes256_gcm_key_template()).unwrap()).unwrap()
}
