//! The floors: the cost that no design like rxseal's can avoid. For each record, one draw of 12 bytes from the
//! operating system. For each field, one call of the primitive with an expanded key, on AAD and text of rxseal's
//! length, into a token of the same length, and in the text form its base64. No key is derived, and nothing is digested
//! or wiped.

use std::hint::black_box;
use std::marker::PhantomData;

use aes_gcm::KeyInit;
use aes_gcm::aead::AeadInOut;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Candidate, Facts, Peer, Place};
use crate::record::{COUNT, FIELDS};

pub fn candidates() -> Vec<Candidate> {
    vec![
        floor::<aes_gcm::Aes256Gcm, Text>("floor: aes-gcm, text"),
        floor::<aes_gcm::Aes256Gcm, Binary>("floor: aes-gcm, bytes"),
        floor::<ring::aead::LessSafeKey, Text>("floor: ring, text"),
        floor::<ring::aead::LessSafeKey, Binary>("floor: ring, bytes"),
        floor::<aws_lc_rs::aead::LessSafeKey, Text>("floor: aws-lc-rs, text"),
        floor::<aws_lc_rs::aead::LessSafeKey, Binary>("floor: aws-lc-rs, bytes"),
    ]
}

/// The cost of the operating system's generator for a record.
pub fn draw() -> [u8; NONCE] {
    let mut bytes = [0; NONCE];
    getrandom::fill(black_box(&mut bytes)).unwrap();
    bytes
}

fn floor<P: Primitive + 'static, S: Form + 'static>(name: &'static str) -> Candidate {
    let facts = Facts { name, package: P::PACKAGE, primitive: P::PACKAGE, form: S::NAME, floor: None, binding: None };
    Candidate::new(facts, Floor::<P, S> { primitive: P::new(&[7; 32]), form: PhantomData })
}

const NONCE: usize = 12;
const TAG: usize = 16;
/// A token is `header (9) | nonce (12) | text | tag (16)`.
const HEADER: usize = 9;
const TEXT_AT: usize = HEADER + NONCE;
const BLOCK: usize = 32;
/// The AAD is `header (9) | digest (32) | field id`.
const FIELD_AT: usize = HEADER + 32;
const ROOM: usize = 256;

/// AES-256-GCM with its key expanded.
trait Primitive {
    const PACKAGE: &'static str;
    fn new(key: &[u8; 32]) -> Self;
    fn seal(&self, nonce: [u8; NONCE], aad: &[u8], text: &mut [u8]) -> [u8; TAG];
    /// Opens `text | tag` in place.
    fn open(&self, nonce: [u8; NONCE], aad: &[u8], sealed: &mut [u8]) -> bool;
}

impl Primitive for aes_gcm::Aes256Gcm {
    const PACKAGE: &'static str = "aes-gcm";

    fn new(key: &[u8; 32]) -> Self {
        KeyInit::new(key.into())
    }

    fn seal(&self, nonce: [u8; NONCE], aad: &[u8], text: &mut [u8]) -> [u8; TAG] {
        self.encrypt_inout_detached(&nonce.into(), aad, text.into()).unwrap().into()
    }

    fn open(&self, nonce: [u8; NONCE], aad: &[u8], sealed: &mut [u8]) -> bool {
        let (text, tag) = sealed.split_last_chunk_mut::<TAG>().unwrap();
        self.decrypt_inout_detached(&nonce.into(), aad, text.into(), (&*tag).into()).is_ok()
    }
}

/// ring and aws-lc-rs have one API.
macro_rules! like_ring {
    ($library:ident, $package:literal) => {
        impl Primitive for $library::aead::LessSafeKey {
            const PACKAGE: &'static str = $package;

            fn new(key: &[u8; 32]) -> Self {
                Self::new($library::aead::UnboundKey::new(&$library::aead::AES_256_GCM, key).unwrap())
            }

            fn seal(&self, nonce: [u8; NONCE], aad: &[u8], text: &mut [u8]) -> [u8; TAG] {
                let nonce = $library::aead::Nonce::assume_unique_for_key(nonce);
                let tag = self.seal_in_place_separate_tag(nonce, $library::aead::Aad::from(aad), text).unwrap();
                tag.as_ref().try_into().unwrap()
            }

            fn open(&self, nonce: [u8; NONCE], aad: &[u8], sealed: &mut [u8]) -> bool {
                let nonce = $library::aead::Nonce::assume_unique_for_key(nonce);
                self.open_in_place(nonce, $library::aead::Aad::from(aad), sealed).is_ok()
            }
        }
    };
}

like_ring!(ring, "ring");
like_ring!(aws_lc_rs, "aws-lc-rs");

/// How a token is stored.
trait Form {
    const NAME: &'static str;
    type Stored: AsRef<[u8]>;
    fn store(token: &[u8]) -> Self::Stored;
    /// Writes the token back and returns its length.
    fn load(stored: &Self::Stored, token: &mut [u8; ROOM]) -> usize;
}

struct Text;

impl Form for Text {
    const NAME: &'static str = "text";
    type Stored = String;

    fn store(token: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(token)
    }

    fn load(stored: &String, token: &mut [u8; ROOM]) -> usize {
        URL_SAFE_NO_PAD.decode_slice(stored, token).unwrap()
    }
}

struct Binary;

impl Form for Binary {
    const NAME: &'static str = "bytes";
    type Stored = Vec<u8>;

    fn store(token: &[u8]) -> Vec<u8> {
        token.to_vec()
    }

    fn load(stored: &Vec<u8>, token: &mut [u8; ROOM]) -> usize {
        token[..stored.len()].copy_from_slice(stored);
        stored.len()
    }
}

struct Floor<P, S> {
    primitive: P,
    form: PhantomData<S>,
}

impl<P: Primitive, S: Form> Floor<P, S> {
    fn seal_one(&self, nonce: [u8; NONCE], field: &str, value: &str) -> S::Stored {
        let (aad, aad_len) = aad(field);
        let value = black_box(value);
        let padded = (value.len() + 2).next_multiple_of(BLOCK);
        let mut token = [0; ROOM];
        token[HEADER..TEXT_AT].copy_from_slice(&nonce);
        token[TEXT_AT] = value.len() as u8;
        token[TEXT_AT + 1..][..value.len()].copy_from_slice(value.as_bytes());
        let tag = self.primitive.seal(nonce, &aad[..aad_len], &mut token[TEXT_AT..][..padded]);
        token[TEXT_AT + padded..][..TAG].copy_from_slice(&tag);
        S::store(&token[..TEXT_AT + padded + TAG])
    }

    fn open_one(&self, field: &str, stored: &S::Stored) -> String {
        let (aad, aad_len) = aad(field);
        let mut token = [0; ROOM];
        let len = S::load(stored, &mut token);
        let nonce = token[HEADER..TEXT_AT].try_into().unwrap();
        assert!(self.primitive.open(nonce, &aad[..aad_len], &mut token[TEXT_AT..len]));
        let value = &token[TEXT_AT + 1..][..usize::from(token[TEXT_AT])];
        std::str::from_utf8(value).unwrap().to_owned()
    }
}

impl<P: Primitive, S: Form> Peer for Floor<P, S> {
    type Stored = S::Stored;

    fn seal(&mut self) -> [S::Stored; COUNT] {
        let drawn = draw();
        std::array::from_fn(|at| {
            let mut nonce = drawn;
            nonce[NONCE - 1] ^= at as u8;
            self.seal_one(nonce, FIELDS[at].0, FIELDS[at].1)
        })
    }

    fn open(&mut self, stored: &[S::Stored; COUNT]) -> [String; COUNT] {
        std::array::from_fn(|at| self.open_one(FIELDS[at].0, &stored[at]))
    }

    fn seal_name(&mut self, name: &str) -> S::Stored {
        self.seal_one(draw(), FIELDS[0].0, name)
    }

    fn opens_at(&mut self, _: &S::Stored, _: Place) -> Option<bool> {
        None
    }
}

fn aad(field: &str) -> ([u8; 105], usize) {
    let mut aad = [7; 105];
    aad[FIELD_AT..][..field.len()].copy_from_slice(field.as_bytes());
    (aad, FIELD_AT + field.len())
}
