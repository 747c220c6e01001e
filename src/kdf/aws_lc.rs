//! HKDF and SHA-256 of AWS-LC.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key as HmacKey, sign};

use crate::error::ErrorKind;

/// 32 bytes of output.
struct Key;

impl KeyType for Key {
    fn len(&self) -> usize {
        32
    }
}

pub(super) fn expand(prk: &[u8; 32], info: &[u8], okm: &mut [u8; 32]) -> Result<(), ErrorKind> {
    fill(&Prk::new_less_safe(HKDF_SHA256, prk), info, okm)
}

/// Extract is HMAC under the salt (RFC 5869, 2.2). Not by `hkdf::Salt`: aws-lc-rs keeps that in a block of the heap which it
/// does not wipe, and the salt here is a subject key.
pub(super) fn extract_and_expand(
    salt: &[u8; 32],
    input: &[u8; 32],
    info: &[u8],
    okm: &mut [u8; 32],
) -> Result<(), ErrorKind> {
    let prk = sign(&HmacKey::new(HMAC_SHA256, salt), input);
    fill(&Prk::new_less_safe(HKDF_SHA256, prk.as_ref()), info, okm)
}

fn fill(prk: &Prk, info: &[u8], okm: &mut [u8; 32]) -> Result<(), ErrorKind> {
    let info = [info];
    prk.expand(&info, Key).and_then(|output| output.fill(okm)).map_err(|_| ErrorKind::BackendFailed)
}

/// HMAC under a key, and what all messages begin with.
pub(crate) struct Hmac {
    // A `Context` behind the head would be quicker, and cannot be shared by threads.
    key: HmacKey,
    head: Vec<u8>,
}

impl Hmac {
    pub(super) fn new(key: &[u8; 32], head: &[u8]) -> Self {
        Self { key: HmacKey::new(HMAC_SHA256, key), head: head.to_vec() }
    }

    pub(super) fn mac(&self, pieces: &[&[u8]]) -> [u8; 32] {
        let mut context = Context::with_key(&self.key);
        context.update(&self.head);
        for piece in pieces {
            context.update(piece);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

pub(super) fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(sign(&HmacKey::new(HMAC_SHA256, key), message).as_ref());
    out
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
