//! XAES-256-GCM's key derivation (C2SP `XAES-256-GCM.md`; FORMAT 5.2).
//!
//! Composed here from AES blocks and not taken from the crate `xaes-256-gcm`. That crate derives and expands a key for
//! every message, but here all fields of a class in a record have the same key, so it is set up once for them.

use std::sync::LazyLock;

use aes_gcm::KeyInit;
use aes_gcm::aes::Aes256Enc;
use aes_gcm::aes::cipher::BlockCipherEncrypt;

use super::wiped::Blank;
use crate::error::{Error, ErrorKind};
use crate::secret::wipe;

pub(crate) type Block = [u8; 16];

/// AES-256 with an expanded key, which wipes itself on drop.
pub(crate) trait Aes {
    fn encrypt<const N: usize>(&self, blocks: &mut [Block; N]) -> Result<(), ErrorKind>;
}

/// A key of XAES-256-GCM after steps 1 and 2: the expanded AES key and the CMAC subkey `K1`.
pub(crate) struct XaesKey<A> {
    aes: A,
    k1: Block,
}

impl<A: Aes> XaesKey<A> {
    pub(super) fn new(aes: A) -> Result<Self, Error> {
        // Step 1: L = AES-256(K, 0^128)
        let mut l = [[0; 16]];
        aes.encrypt(&mut l)?;
        let [block] = &mut l;
        // Step 2: K1 is L doubled in GF(2^128)
        let number = u128::from_be_bytes(*block);
        let k1 = ((number << 1) ^ ((number >> 127).wrapping_mul(0x87))).to_be_bytes();
        wipe(block);
        Ok(Self { aes, k1 })
    }

    /// Steps 3 to 5: runs `work` with the AES-256-GCM key `Kx` of all nonces that begin with the same 12 bytes as this
    /// one.
    pub(super) fn with_message_key<T>(
        &self,
        nonce: &[u8; 24],
        work: impl FnOnce(&[u8; 32]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // M1 = 00 01 58 00 | N[..12] and M2 = 00 02 58 00 | N[..12], as numbers
        let mut message = [0, 0, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        if let (Some(half), Some(prefix)) = (message.last_chunk_mut::<12>(), nonce.first_chunk()) {
            *half = *prefix;
        }
        let masked = u128::from_be_bytes(message) ^ u128::from_be_bytes(self.k1);
        let mut halves = [1_u128, 2].map(|counter| (masked ^ (counter << 112)).to_be_bytes());
        let encrypted = self.aes.encrypt(&mut halves);
        let kx = halves.as_flattened_mut();
        let result = match (encrypted, kx.first_chunk()) {
            (Ok(()), Some(key)) => work(key),
            _ => Err(ErrorKind::BackendFailed.into()),
        };
        wipe(kx);
        result
    }
}

impl Aes for Aes256Enc {
    fn encrypt<const N: usize>(&self, blocks: &mut [Block; N]) -> Result<(), ErrorKind> {
        for block in blocks {
            self.encrypt_block(block.into());
        }
        Ok(())
    }
}

impl Blank for XaesKey<Aes256Enc> {
    fn blank() -> Self {
        static BLANK: LazyLock<Aes256Enc> = LazyLock::new(|| Aes256Enc::new(&[0; 32].into()));
        Self { aes: BLANK.clone(), k1: [0; 16] }
    }
}

impl<A> Drop for XaesKey<A> {
    fn drop(&mut self) {
        wipe(&mut self.k1);
    }
}
