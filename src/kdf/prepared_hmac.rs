//! HMAC-SHA-256 (RFC 2104) under a key that makes many: what all messages begin with is computed once.

use sha2::block_api::compress256;
use zeroize::Zeroize;

#[cfg(feature = "aws-lc")]
use super::aws_lc;
use crate::backend::Backend;
#[cfg(feature = "aws-lc")]
use crate::secret::wipe_stack_below;
use crate::secret::{SecretBytes, wipe};

/// FIPS 180-4, 5.3.3
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const BLOCK: usize = 64;
/// What the length of a message in bits takes at the end of its last block.
const LENGTH: usize = 8;
const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5C;

/// A key, and what all messages under it begin with. The large variants are boxed: see "No unwritten room" in `secret`.
pub(crate) enum PreparedHmac {
    RustCrypto(Box<Midstates>),
    #[cfg(feature = "aws-lc")]
    AwsLc(Box<aws_lc::Hmac>),
}

impl PreparedHmac {
    /// For messages that begin with `head`, which is not secret.
    pub(crate) fn new(backend: Backend, key: &SecretBytes<32>, head: &[u8]) -> Self {
        match backend {
            Backend::RustCrypto => Self::RustCrypto(Midstates::new(key.expose_bytes(), head)),
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => {
                let hmac = Box::new(aws_lc::Hmac::new(key.expose_bytes(), head));
                wipe_stack_below();
                Self::AwsLc(hmac)
            }
        }
    }

    /// The HMAC of the message that begins with the head and goes on with these pieces.
    pub(crate) fn mac(&self, pieces: &[&[u8]]) -> [u8; 32] {
        match self {
            Self::RustCrypto(midstates) => midstates.mac(pieces),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(hmac) => hmac.mac(pieces),
        }
    }
}

/// The states of SHA-256 behind the two blocks of the key, the inner one also behind the whole blocks of the head.
///
/// From the compression function, since a keyed `Hmac` of the crate hmac has a buffer whose unwritten part would go to the heap, and a
/// block of the head would be computed again for each message.
pub(crate) struct Midstates {
    inner: [u32; 8],
    outer: [u32; 8],
    /// The end of the head, which fills no block.
    rest: [u8; BLOCK],
    rest_len: usize,
    /// The bytes of the key's block and of the head.
    len: usize,
}

impl Midstates {
    fn new(key: &[u8; 32], head: &[u8]) -> Box<Self> {
        let mut made = Box::new(Self {
            inner: INITIAL,
            outer: INITIAL,
            rest: [0; BLOCK],
            rest_len: 0,
            len: BLOCK.saturating_add(head.len()),
        });
        let mut block = [0; BLOCK];
        for (state, pad) in [(&mut made.inner, IPAD), (&mut made.outer, OPAD)] {
            block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            compress256(state, &[block]);
        }
        wipe(&mut block);
        let (blocks, rest) = head.as_chunks();
        compress256(&mut made.inner, blocks);
        made.rest.iter_mut().zip(rest).for_each(|(byte, from)| *byte = *from);
        made.rest_len = rest.len();
        made
    }

    fn mac(&self, pieces: &[&[u8]]) -> [u8; 32] {
        let mut inner = Inner { state: self.inner, block: self.rest, filled: self.rest_len, len: self.len };
        for piece in pieces {
            inner.update(piece);
        }
        let digest = inner.finish();
        // The outer message is the key's block and the inner digest.
        let mut outer = Inner { state: self.outer, block: [0; BLOCK], filled: 0, len: BLOCK };
        outer.update(&digest);
        outer.finish()
    }
}

impl Drop for Midstates {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// SHA-256 on its way, from a state behind whole blocks (FIPS 180-4, 5.1.1 and 6.2).
struct Inner {
    state: [u32; 8],
    /// Zeros behind what is filled.
    block: [u8; BLOCK],
    /// How much of the block is filled: less than all of it.
    filled: usize,
    len: usize,
}

impl Inner {
    #[inline]
    fn update(&mut self, piece: &[u8]) {
        self.len = self.len.saturating_add(piece.len());
        let mut piece = piece;
        if self.filled > 0 {
            let room = self.block.get_mut(self.filled..).unwrap_or_default();
            let Some((first, rest)) = piece.split_at_checked(room.len()) else { return self.keep(piece) };
            room.copy_from_slice(first);
            self.compress();
            piece = rest;
        }
        let (blocks, rest) = piece.as_chunks();
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
        self.keep(rest);
    }

    /// Takes in the block, and begins the next one.
    #[inline]
    fn compress(&mut self) {
        compress256(&mut self.state, &[self.block]);
        self.block = [0; BLOCK];
        self.filled = 0;
    }

    /// Keeps what fills no block.
    #[inline]
    fn keep(&mut self, rest: &[u8]) {
        let room = self.block.get_mut(self.filled..).and_then(|room| room.get_mut(..rest.len()));
        if let Some(room) = room {
            room.copy_from_slice(rest);
            self.filled = self.filled.saturating_add(rest.len());
        }
    }

    #[inline]
    fn finish(mut self) -> [u8; 32] {
        let bits = u64::try_from(self.len).unwrap_or(u64::MAX).saturating_mul(8);
        if let Some(end) = self.block.get_mut(self.filled) {
            *end = 0x80;
        }
        if self.filled >= BLOCK.saturating_sub(LENGTH) {
            self.compress();
        }
        if let Some(length) = self.block.last_chunk_mut() {
            *length = bits.to_be_bytes();
        }
        compress256(&mut self.state, &[self.block]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        // The block has of the message, which may be plaintext. A state that was read in full gives the HMAC away.
        wipe(&mut self.block);
        self.state.zeroize();
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::super::hmac_sha256;
    use super::*;

    /// The crate hmac computes the same, however the message is cut.
    #[test]
    fn every_length_and_every_cut() {
        let message: Vec<u8> = (0..400_u16).map(|at| (at * 31 % 251) as u8).collect();
        for backend in Backend::ALL {
            let key = SecretBytes::copy_of(&std::array::from_fn(|at| at as u8 ^ 0xA5));
            for len in 0..=260 {
                let message = &message[..len];
                let expected = hmac_sha256(Backend::RustCrypto, &key, message).unwrap();
                for head in [0, 1, 31, 63, 64, 65, 127, 128, 200] {
                    let Some((head, rest)) = message.split_at_checked(head) else { continue };
                    let prepared = PreparedHmac::new(*backend, &key, head);
                    assert_eq!(prepared.mac(&[rest]), expected, "{len} {}", head.len());
                    for cut in [0, 1, 2, 5, 55, 56, 63, 64, 65] {
                        let Some((first, second)) = rest.split_at_checked(cut) else { continue };
                        assert_eq!(prepared.mac(&[first, second]), expected, "{len} {} {cut}", head.len());
                        assert_eq!(prepared.mac(&[first, &[], second]), expected, "{len} {} {cut}", head.len());
                    }
                }
            }
        }
    }

    /// RFC 4231, test case 2 has a key of 4 bytes, which HMAC fills up with zeros.
    #[test]
    fn published_vector() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let key = SecretBytes::copy_of(&key);
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        for backend in Backend::ALL {
            let mac = PreparedHmac::new(*backend, &key, b"what do ya want ").mac(&[b"for ", b"nothing?"]);
            let text = mac.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
            assert_eq!(text, expected);
        }
    }
}
