//! XAES-256-GCM's key derivation (C2SP `XAES-256-GCM.md`; FORMAT 5.2).
//!
//! Composed here from AES blocks rather than taken from the crate `xaes-256-gcm`: that one derives and expands a key for
//! every message, and ours is the same for all fields of a class in a record, so it is set up once for them.

use std::sync::LazyLock;

use aes_gcm::KeyInit;
use aes_gcm::aes::Aes256Enc;
use aes_gcm::aes::cipher::BlockCipherEncrypt;

use super::Aes256Gcm;
use super::wiped::Blank;
use crate::secret::{SecretBytes, wipe};

/// A key of XAES-256-GCM after steps 1 and 2: the expanded AES key and the CMAC subkey `K1`.
pub(crate) struct XaesKey {
    aes: Aes256Enc,
    k1: [u8; 16],
}

impl XaesKey {
    pub(crate) fn new(key: &SecretBytes<32>) -> Self {
        let aes = Aes256Enc::new(key.expose_bytes().into());
        // Step 1: L = AES-256(K, 0^128)
        let mut block = [0; 16].into();
        aes.encrypt_block(&mut block);
        // Step 2: K1 is L doubled in GF(2^128)
        let l = u128::from_be_bytes(block.into());
        let k1 = ((l << 1) ^ ((l >> 127).wrapping_mul(0x87))).to_be_bytes();
        wipe(&mut block);
        Self { aes, k1 }
    }

    /// Steps 3 to 5: the AES-256-GCM key `Kx` of all nonces that begin with `prefix`, expanded.
    pub(crate) fn message_cipher(&self, prefix: &[u8; 12]) -> Aes256Gcm {
        let mut kx = [0; 32];
        let (halves, _) = kx.as_chunks_mut::<16>();
        for (half, counter) in halves.iter_mut().zip([1, 2]) {
            // M1 = 00 01 58 00 | N[..12] and M2 = 00 02 58 00 | N[..12]
            let message = [0, counter, b'X', 0].into_iter().chain(*prefix);
            for ((byte, message), k1) in half.iter_mut().zip(message).zip(self.k1) {
                *byte = message ^ k1;
            }
            self.aes.encrypt_block(half.into());
        }
        let cipher = Aes256Gcm::new((&kx).into());
        wipe(&mut kx);
        cipher
    }
}

impl Blank for XaesKey {
    fn blank() -> Self {
        static BLANK: LazyLock<Aes256Enc> = LazyLock::new(|| Aes256Enc::new(&[0; 32].into()));
        Self { aes: BLANK.clone(), k1: [0; 16] }
    }
}
