//! One message under XAES-256-GCM with its random nonce in front: `nonce (24) | ciphertext | tag (16)`. Keyring bodies
//! (FORMAT 8.3), local root wraps (9.2) and wrapped subject keys (10) have this form.

use super::{ClassCipher, Letter, MessageCipher, NONCE_LEN, TAG_LEN};
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::random;
use crate::secret::{SecretBytes, Unfinished};

const LETTER: Letter = Letter::Xaes;
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// Appends the sealed form of `text` to `out`. The plaintext is in `out` only where the ciphertext will replace it.
pub(crate) fn seal(
    backend: Backend,
    key: SecretBytes<32>,
    aad: &[u8],
    text: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut nonce = [0; NONCE_LEN];
    random::fill(&mut nonce)?;
    let cipher = cipher(backend, key, &nonce)?;
    out.reserve_exact(text.len().saturating_add(OVERHEAD));
    let mut unfinished = Unfinished::begin(out);
    unfinished.vec().extend_from_slice(&nonce);
    let start = unfinished.vec().len();
    unfinished.vec().extend_from_slice(text);
    let tag = cipher.seal(LETTER, &nonce, aad, unfinished.vec().get_mut(start..).unwrap_or_default())?;
    unfinished.vec().extend_from_slice(&tag);
    unfinished.finish();
    Ok(())
}

/// Opens `sealed` in place and returns the plaintext in it.
pub(crate) fn open<'a>(
    backend: Backend,
    key: SecretBytes<32>,
    aad: &[u8],
    sealed: &'a mut [u8],
) -> Result<&'a mut [u8], Error> {
    let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or(ErrorKind::OpenFailed)?;
    let (text, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(ErrorKind::OpenFailed)?;
    cipher(backend, key, nonce)?.open_in_place(LETTER, nonce, aad, text, tag)?;
    Ok(text)
}

fn cipher(backend: Backend, key: SecretBytes<32>, nonce: &[u8; NONCE_LEN]) -> Result<MessageCipher, Error> {
    ClassCipher::new(backend, LETTER, key)?.for_nonce(nonce, None)
}
