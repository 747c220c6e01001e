//! The closed set of suites (FORMAT 5). Primitives are those of RustCrypto or of AWS-LC; only their composition is ours.

#[cfg(feature = "aws-lc")]
mod aws_lc;
mod cipher;
pub(crate) mod envelope;
mod letter;
#[cfg(test)]
mod vector_tests;
mod wiped;
mod xaes;

pub(crate) use cipher::{ClassCipher, MessageCipher, SpareCipher};
pub(crate) use letter::{Letter, PerLetter};

/// Bytes of every authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of every suite's nonce, of which a token may hold the last ones only (FORMAT 5).
pub(crate) const NONCE_LEN: usize = 24;

/// The AEAD of a key, fixed when the key is made and written in the keyring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// XAES-256-GCM (C2SP): the default, composed of NIST-approved algorithms. Needs a processor with AES instructions
    /// to be fast; every server of the last ten years has them.
    #[default]
    Xaes256Gcm,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), for machines without AES instructions. 12 bytes more a token.
    XChaCha20Poly1305,
}

impl Suite {
    const ALL: [Self; 2] = [Self::Xaes256Gcm, Self::XChaCha20Poly1305];

    /// The letter of this suite in a keyring file: `X` or `c`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Xaes256Gcm => 'X',
            Self::XChaCha20Poly1305 => 'c',
        }
    }

    pub(crate) fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| letter.chars().eq([suite.letter()]))
    }

    /// FORMAT 5.1: which letter a key of this suite seals with.
    pub(crate) fn sealing_letter(self, bound: bool) -> Letter {
        match (self, bound) {
            (Self::Xaes256Gcm, true) => Letter::BoundXaes,
            (Self::Xaes256Gcm, false) => Letter::Xaes,
            (Self::XChaCha20Poly1305, _) => Letter::XChaCha,
        }
    }

    /// FORMAT 5.1: which letters a key of this suite opens.
    pub(crate) fn opens(self, letter: Letter) -> bool {
        letter.suite() == self
    }
}

/// How many bytes a nonce's prefix has that an AEAD key is made for.
const PREFIX_LEN: usize = 16;

/// What of a nonce the AEAD key of a message is derived from (FORMAT 5.2; draft-irtf-cfrg-xchacha-03, section 2.3), with
/// zeros behind it where it is shorter: 12 bytes of XAES, 16 of XChaCha20.
pub(crate) fn key_prefix(letter: Letter, nonce: &[u8; 24]) -> [u8; PREFIX_LEN] {
    let mut prefix = nonce.first_chunk().copied().unwrap_or_default();
    if letter.suite() != Suite::XChaCha20Poly1305
        && let Some((_, rest)) = prefix.split_first_chunk_mut::<12>()
    {
        rest.fill(0);
    }
    prefix
}

/// What of a nonce the AEAD itself takes (likewise).
fn aead_nonce(letter: Letter, nonce: &[u8; 24]) -> [u8; 12] {
    let mut inner: [u8; 12] = nonce.last_chunk().copied().unwrap_or_default();
    if letter.suite() == Suite::XChaCha20Poly1305
        && let Some(zeros) = inner.first_chunk_mut::<4>()
    {
        zeros.fill(0);
    }
    inner
}

/// The part of a nonce that stands in a token (FORMAT 5): for letter `X` without the context's half.
pub(crate) fn on_wire(letter: Letter, nonce: &[u8; 24]) -> &[u8] {
    let context_half = nonce.len().saturating_sub(letter.nonce_len());
    nonce.get(context_half..).unwrap_or_default()
}
