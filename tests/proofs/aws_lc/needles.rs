//! The values that the test looks for in memory: keys, and AWS-LC's forms of them.
//!
//! How AWS-LC stores an expanded key depends on the processor (AES instructions, vector permutations, bit slices). So
//! the form is learned and not computed: a key is given to AWS-LC, and the block that it allocates is read while the
//! key lives.

use std::collections::HashMap;

use aes_gcm::KeyInit;
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aws_lc_rs::aead::{AES_256_GCM, CHACHA20_POLY1305, LessSafeKey, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};

use crate::heap;
use support::keys::{self, Key};

/// One thing to look for, cut into pieces, so that a block that was wiped in part only is found too.
pub struct Needle {
    pub what: String,
    pieces: Vec<Vec<u8>>,
}

impl Needle {
    pub fn text(what: &str, bytes: &[u8]) -> Self {
        Self { what: what.to_owned(), pieces: bytes.chunks_exact(12).map(<[u8]>::to_vec).collect() }
    }

    /// The bytes of a key.
    pub fn key(what: &str, bytes: &[u8]) -> Self {
        Self { what: what.to_owned(), pieces: bytes.chunks(16).map(<[u8]>::to_vec).collect() }
    }

    /// Pieces of AWS-LC's expanded key.
    fn expanded(what: &str, pieces: Vec<Vec<u8>>) -> Self {
        Self { what: format!("{what}, expanded"), pieces }
    }
}

/// A key of HKDF: itself, and as the inner and outer block of its HMAC.
pub fn add_kdf_key(what: &str, key: &Key, needles: &mut Vec<Needle>) {
    needles.push(Needle::key(what, key));
    needles.push(Needle::key(&format!("{what}, inner block"), &key.map(|byte| byte ^ 0x36)));
    needles.push(Needle::key(&format!("{what}, outer block"), &key.map(|byte| byte ^ 0x5C)));
}

/// A class key of XAES-256-GCM: an AES key in ECB mode, and `K1`.
pub fn add_xaes_key(what: &str, key: &Key, needles: &mut Vec<Needle>) {
    needles.push(Needle::key(what, key));
    needles.push(Needle::key(&format!("{what}, K1"), &keys::xaes(key, &[0; 12]).1));
    needles.push(Needle::expanded(what, ecb_pieces(key)));
}

/// The message key under an XAES class key for nonces that begin with `nonce`.
pub fn add_gcm_message_key(what: &str, class_key: &Key, nonce: &[u8], needles: &mut Vec<Needle>) {
    let what = format!("{what}, message key");
    let key = keys::xaes(class_key, nonce).0;
    let mut h = [0; 16].into();
    Aes256::new((&key).into()).encrypt_block(&mut h);
    let mut h: [u8; 16] = h.into();
    needles.push(Needle::key(&what, &key));
    needles.push(Needle::expanded(&what, gcm_pieces(&key)));
    needles.push(Needle::key(&format!("{what}, GHASH key"), &h));
    h.reverse();
    needles.push(Needle::key(&format!("{what}, GHASH key reversed"), &h));
}

/// The message key under an XChaCha20 class key for nonces that begin with `nonce`.
pub fn add_chacha_message_key(what: &str, class_key: &Key, nonce: &[u8], needles: &mut Vec<Needle>) {
    let prefix: [u8; 16] = nonce[..16].try_into().unwrap();
    let key: Key = chacha20::hchacha::<chacha20::R20>(class_key.into(), &prefix.into()).into();
    needles.push(Needle::key(&format!("{what}, message key"), &key));
    needles.push(Needle::expanded(&format!("{what}, message key"), chacha_pieces(&key)));
}

/// The pieces of needles by their first 4 bytes, so that each place in a block is looked at once for all of them.
pub struct Search<'n> {
    first_two: Vec<bool>,
    starts: HashMap<[u8; 4], Vec<(&'n Needle, &'n [u8])>>,
}

impl<'n> Search<'n> {
    pub fn of(needles: impl IntoIterator<Item = &'n Needle>) -> Self {
        let mut search = Self { first_two: vec![false; 1 << 16], starts: HashMap::new() };
        for needle in needles {
            for piece in &needle.pieces {
                search.first_two[two(piece)] = true;
                search.starts.entry(piece[..4].try_into().unwrap()).or_default().push((needle, piece));
            }
        }
        search
    }

    /// What of the needles is in `blocks`. Only names are given, never a byte.
    pub fn hits(&self, blocks: &[Vec<u8>]) -> Vec<String> {
        let mut found = Vec::new();
        for block in blocks {
            for (at, window) in block.windows(4).enumerate().filter(|(_, window)| self.first_two[two(window)]) {
                for (needle, piece) in self.starts.get(window).into_iter().flatten() {
                    let what = format!("{}, in a block of {} bytes", needle.what, block.len());
                    if block[at..].starts_with(piece) && !found.contains(&what) {
                        found.push(what);
                    }
                }
            }
        }
        found
    }
}

fn two(bytes: &[u8]) -> usize {
    usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]))
}

pub fn ecb_pieces(key: &Key) -> Vec<Vec<u8>> {
    // Boxed, since it keeps its key schedules in itself.
    learned(key, |key| Box::new(EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap()))
}

pub fn gcm_pieces(key: &Key) -> Vec<Vec<u8>> {
    learned(key, |key| LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap()))
}

pub fn chacha_pieces(key: &Key) -> Vec<Vec<u8>> {
    learned(key, |key| LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).unwrap()))
}

/// The 16 bytes at every 8th place of what `expand` holds of `key` and does not hold of another key.
fn learned<T>(key: &Key, expand: impl Fn(&Key) -> T) -> Vec<Vec<u8>> {
    let of_key = held_by(key, &expand);
    let of_another = held_by(&[0xA5; 32], &expand);
    let depends = |(piece, other): &(&[u8], &[u8])| piece != other && various(piece);
    let windows = of_key.windows(16).zip(of_another.windows(16)).step_by(8);
    let pieces: Vec<_> = windows.filter(depends).map(|(piece, _)| piece.to_vec()).collect();
    assert!(pieces.len() >= 2, "an expanded key is longer than that");
    pieces
}

/// The largest block that `expand` takes and holds.
fn held_by<T>(key: &Key, expand: impl Fn(&Key) -> T) -> Vec<u8> {
    let (expanded, seen) = heap::watch(|| expand(key));
    drop(expanded);
    seen.held.into_iter().max_by_key(Vec::len).expect("a block is held")
}

/// Whether these could be bytes of a key: no zeros, no text, no address.
fn various(piece: &[u8]) -> bool {
    let mut bytes = piece.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len() >= 10
}
