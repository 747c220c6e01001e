//! HMAC-SHA-256 (RFC 2104) under a key that makes many: what all messages begin with is computed once.

use hmac::KeyInit;
use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, FixedOutputCore, UpdateCore};
use sha2::Sha256;

#[cfg(feature = "aws-lc")]
use super::aws_lc;
use crate::backend::Backend;
use crate::secret::{SecretBytes, wipe, wipe_stack_below};

/// Keyed, without a buffer: the states behind the two blocks of the key. It wipes them on drop.
type Core = HmacCore<Sha256>;

const BLOCK: usize = 64;

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
            Backend::RustCrypto => {
                let midstates = Midstates::new(key.expose_bytes(), head);
                wipe_stack_below();
                Self::RustCrypto(midstates)
            }
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

/// A keyed core behind the whole blocks of the head.
///
/// Not an `Hmac`: the unwritten part of its buffer would go to the heap, and a block of the head would be computed again for each
/// message.
pub(crate) struct Midstates {
    core: Core,
    /// The end of the head, which fills no block.
    rest: [u8; BLOCK],
    rest_len: usize,
}

impl Midstates {
    #[inline(never)]
    fn new(key: &[u8; 32], head: &[u8]) -> Box<Self> {
        // HMAC fills a short key up with zeros to a block.
        let mut block = [0; BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
        let mut core = Core::new(&block.into());
        wipe(&mut block);
        let (blocks, end) = head.as_chunks::<BLOCK>();
        for block in blocks {
            core.update_blocks(&[(*block).into()]);
        }
        let mut rest = [0; BLOCK];
        rest.iter_mut().zip(end).for_each(|(byte, from)| *byte = *from);
        Box::new(Self { core, rest, rest_len: end.len() })
    }

    fn mac(&self, pieces: &[&[u8]]) -> [u8; 32] {
        let mut core = self.core.clone();
        let mut buffer = Buffer::<Core>::default();
        let head_end = self.rest.get(..self.rest_len).unwrap_or_default();
        for piece in std::iter::once(&head_end).chain(pieces) {
            buffer.digest_blocks(piece, |blocks| core.update_blocks(blocks));
        }
        let mut mac = [0; 32];
        core.finalize_fixed_core(&mut buffer, (&mut mac).into());
        mac
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
