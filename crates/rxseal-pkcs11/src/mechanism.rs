//! The mechanisms that wrap a KEK, and how long a wrap of each is.

use std::fmt;

use cryptoki::mechanism::MechanismType;

pub(crate) const NONCE: usize = 12;
const SEALED_KEK: usize = 48;

/// How a token wraps a KEK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkcs11Mechanism {
    /// `CKM_AES_GCM`. What the wrap is bound to is the AAD.
    AesGcm,
    /// `CKM_AES_KEY_WRAP` (RFC 3394), over the KEK and a digest of what it is bound to.
    AesKeyWrap,
    /// `CKM_AES_KEY_WRAP_PAD` (RFC 5649 at most tokens), over the same.
    AesKeyWrapPad,
}

impl Pkcs11Mechanism {
    /// In the order in which they are preferred.
    pub(crate) const ALL: [Self; 3] = [Self::AesGcm, Self::AesKeyWrap, Self::AesKeyWrapPad];

    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::AesGcm => 1,
            Self::AesKeyWrap => 2,
            Self::AesKeyWrapPad => 3,
        }
    }

    pub(crate) fn of_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.byte() == byte)
    }

    pub(crate) fn number(self) -> MechanismType {
        match self {
            Self::AesGcm => MechanismType::AES_GCM,
            Self::AesKeyWrap => MechanismType::AES_KEY_WRAP,
            Self::AesKeyWrapPad => MechanismType::AES_KEY_WRAP_PAD,
        }
    }

    pub(crate) fn fits(self, body: &[u8]) -> bool {
        match self {
            Self::AesGcm => body.len() == NONCE.saturating_add(SEALED_KEK),
            Self::AesKeyWrap => body.len() == 72,
            Self::AesKeyWrapPad => (65..=96).contains(&body.len()),
        }
    }
}

impl fmt::Display for Pkcs11Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AesGcm => "CKM_AES_GCM",
            Self::AesKeyWrap => "CKM_AES_KEY_WRAP",
            Self::AesKeyWrapPad => "CKM_AES_KEY_WRAP_PAD",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_lengths() {
        for (mechanism, byte, good, bad) in [
            (Pkcs11Mechanism::AesGcm, 1, &[60][..], &[0, 59, 61][..]),
            (Pkcs11Mechanism::AesKeyWrap, 2, &[72], &[0, 71, 73, 80]),
            (Pkcs11Mechanism::AesKeyWrapPad, 3, &[72, 80], &[0, 64, 97]),
        ] {
            assert_eq!((mechanism.byte(), Pkcs11Mechanism::of_byte(byte)), (byte, Some(mechanism)));
            assert!(good.iter().all(|len| mechanism.fits(&vec![0; *len])), "{mechanism}");
            assert!(!bad.iter().any(|len| mechanism.fits(&vec![0; *len])), "{mechanism}");
        }
        for none in [0, 4, 0xFF] {
            assert_eq!(Pkcs11Mechanism::of_byte(none), None);
        }
    }
}
