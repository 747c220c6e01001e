//! The closed set of suites (FORMAT 5). Primitives are those of RustCrypto or of AWS-LC; only their composition is ours.

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
/// Bytes of every suite's nonce, of which a token may hold the last ones only (FORMAT 5).
pub(crate) const NONCE_LEN: usize = 24;

/// How many bytes a nonce's prefix has that an AEAD key is made for.
const PREFIX_LEN: usize = 16;

/// What of a nonce the AEAD key of a message is derived from (FORMAT 5.2; draft-irtf-cfrg-xchacha-03, section 2.3), with
/// zeros behind it where it is shorter: 12 bytes of XAES, 16 of XChaCha20.
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

/// What of a nonce the AEAD itself takes (likewise).
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

/// The part of a nonce that is in a token (FORMAT 5): for letter `X` without the context's half.
pub(crate) fn on_wire(letter: Letter, nonce: &[u8; 24]) -> &[u8] {
    let context_half = nonce.len().saturating_sub(letter.nonce_len());
    nonce.get(context_half..).unwrap_or_default()
}
