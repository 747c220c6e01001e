//! HKDF and SHA-256 of AWS-LC.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

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

pub(super) fn extract_and_expand(
    salt: &[u8; 32],
    input: &[u8; 32],
    info: &[u8],
    okm: &mut [u8; 32],
) -> Result<(), ErrorKind> {
    fill(&Salt::new(HKDF_SHA256, salt).extract(input), info, okm)
}

fn fill(prk: &Prk, info: &[u8], okm: &mut [u8; 32]) -> Result<(), ErrorKind> {
    let info = [info];
    prk.expand(&info, Key).and_then(|output| output.fill(okm)).map_err(|_| ErrorKind::BackendFailed)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
