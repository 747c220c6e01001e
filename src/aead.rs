//! The closed set of suites (FORMAT 5). The primitives come from RustCrypto or AWS-LC. Only their composition is ours.

#[cfg(feature = "aws-lc")]
mod aws_lc;
mod cipher;
pub(crate) mod envelope;
mod suite;
#[cfg(test)]
mod vector_tests;
mod wiped;
mod xaes;

pub(crate) use cipher::{ClassCipher, MessageCipher, SpareCipher};
pub use suite::Suite;
pub(crate) use suite::{Letter, PerLetter};

/// Bytes of every authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of every suite's nonce. A token may hold only the last of them (FORMAT 5).
pub(crate) const NONCE_LEN: usize = 24;

/// How many bytes of a nonce an AEAD key depends on.
const PREFIX_LEN: usize = 16;

/// The part of a nonce that the AEAD key of a message is derived from (FORMAT 5.2; draft-irtf-cfrg-xchacha-03, section
/// 2.3): 12 bytes for XAES, 16 for XChaCha20. A shorter part is followed by zeros.
pub(crate) fn key_prefix(letter: Letter, nonce: &[u8; 24]) -> [u8; PREFIX_LEN] {
    let mut prefix = nonce.first_chunk().copied().unwrap_or_default();
    match letter.suite() {
        Suite::Xaes256Gcm => {
            if let Some((_, rest)) = prefix.split_first_chunk_mut::<12>() {
                rest.fill(0);
            }
        }
        Suite::XChaCha20Poly1305 => {}
    }
    prefix
}

/// The part of a nonce that the AEAD itself takes (the same sections).
fn aead_nonce(letter: Letter, nonce: &[u8; 24]) -> [u8; 12] {
    let mut inner: [u8; 12] = nonce.last_chunk().copied().unwrap_or_default();
    match letter.suite() {
        Suite::Xaes256Gcm => {}
        Suite::XChaCha20Poly1305 => {
            if let Some(zeros) = inner.first_chunk_mut::<4>() {
                zeros.fill(0);
            }
        }
    }
    inner
}

/// The part of a nonce that is in a token (FORMAT 5). For letter `X` this leaves out the context's half.
pub(crate) fn on_wire(letter: Letter, nonce: &[u8; 24]) -> &[u8] {
    let context_half = nonce.len().saturating_sub(letter.nonce_len());
    nonce.get(context_half..).unwrap_or_default()
}
