//! The suites of keys, and the suite letters of tokens. One table holds everything that the rest of the crate needs to
//! know about a letter.

/// The AEAD of a key, fixed when the key is made and written in the keyring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// XAES-256-GCM (C2SP): the default, composed of NIST-approved algorithms. Needs a processor with AES instructions
    /// to be fast; every server of the last ten years has them.
    #[default]
    Xaes256Gcm,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), for machines without AES instructions. A token has 12 bytes
    /// more.
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

    /// The letter that a key of this suite seals with (FORMAT 5.1).
    pub(crate) fn sealing_letter(self, bound: bool) -> Letter {
        match (self, bound) {
            (Self::Xaes256Gcm, true) => Letter::BoundXaes,
            (Self::Xaes256Gcm, false) => Letter::Xaes,
            (Self::XChaCha20Poly1305, _) => Letter::XChaCha,
        }
    }

    /// Whether a key of this suite opens tokens of this letter (FORMAT 5.1).
    pub(crate) fn opens(self, letter: Letter) -> bool {
        letter.suite() == self
    }
}

/// The suite letter of a token (FORMAT 5). A new one is a variant, a row of [`Letter::row`], an entry of [`Letter::ALL`] and a
/// field of [`PerLetter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letter {
    /// `X`: XAES-256-GCM whose nonce begins with the context digest.
    BoundXaes,
    /// `x`: XAES-256-GCM with all 24 nonce bytes in the token.
    Xaes,
    /// `c`: XChaCha20-Poly1305.
    XChaCha,
}

/// A row of the tables of FORMAT 5 and 6.1.
struct Row {
    /// The letter itself.
    byte: u8,
    /// The first bytes of a token: `rxs` and the letter, read as base64url.
    magic: [u8; Letter::MAGIC_LEN],
    /// Nonce bytes in the token.
    nonce_len: usize,
    /// The suite whose keys seal with it and open it.
    suite: Suite,
    /// Whether the nonce begins with the context digest. Only a context with a record id has such tokens.
    in_context: bool,
}

impl Letter {
    pub(crate) const ALL: [Self; 3] = [Self::BoundXaes, Self::Xaes, Self::XChaCha];

    /// The first characters of every token's text, before its letter (FORMAT 6).
    pub(crate) const TEXT_MAGIC: &str = "rxs";
    /// Bytes of a magic.
    pub(crate) const MAGIC_LEN: usize = 3;
    /// The first bytes of all magics.
    pub(crate) const MAGIC_START: [u8; 2] = [0xAF, 0x1B];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        let (xaes, chacha) = (Suite::Xaes256Gcm, Suite::XChaCha20Poly1305);
        match self {
            Self::BoundXaes => Row { byte: b'X', magic: [0xAF, 0x1B, 0x17], nonce_len: 12, suite: xaes,   in_context: true },
            Self::Xaes      => Row { byte: b'x', magic: [0xAF, 0x1B, 0x31], nonce_len: 24, suite: xaes,   in_context: false },
            Self::XChaCha   => Row { byte: b'c', magic: [0xAF, 0x1B, 0x1C], nonce_len: 24, suite: chacha, in_context: false },
        }
    }

    /// The letter of a token that begins with these bytes.
    pub(crate) fn of_magic(magic: [u8; Self::MAGIC_LEN]) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.magic() == magic)
    }

    /// Whether a letter has this byte.
    pub(crate) fn is_one(byte: u8) -> bool {
        Self::ALL.into_iter().any(|letter| letter.as_byte() == byte)
    }

    pub(crate) const fn magic(self) -> [u8; Self::MAGIC_LEN] {
        self.row().magic
    }

    pub(crate) const fn as_byte(self) -> u8 {
        self.row().byte
    }

    /// Nonce bytes on the wire.
    pub(crate) const fn nonce_len(self) -> usize {
        self.row().nonce_len
    }

    /// The suite whose keys seal with it and open it (FORMAT 5.1).
    pub(crate) const fn suite(self) -> Suite {
        self.row().suite
    }

    /// Whether its nonces begin with the context digest.
    pub(crate) const fn has_context_in_nonce(self) -> bool {
        self.row().in_context
    }
}

/// One `T` for each letter, so that no letter gets the `T` of another.
#[derive(Default)]
pub(crate) struct PerLetter<T> {
    bound_xaes: T,
    xaes: T,
    x_chacha: T,
}

impl<T> PerLetter<T> {
    pub(crate) fn of(&self, letter: Letter) -> &T {
        match letter {
            Letter::BoundXaes => &self.bound_xaes,
            Letter::Xaes => &self.xaes,
            Letter::XChaCha => &self.x_chacha,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::codec::text;

    #[test]
    fn letters_differ_in_all_that_tells_them_apart() {
        let bytes: BTreeSet<_> = Letter::ALL.iter().map(|letter| letter.as_byte()).collect();
        let slots = PerLetter::<u8>::default();
        let slots: BTreeSet<_> = Letter::ALL.iter().map(|letter| std::ptr::from_ref(slots.of(*letter))).collect();
        assert_eq!((bytes.len(), slots.len()), (Letter::ALL.len(), Letter::ALL.len()));
    }

    #[test]
    fn rows_agree_with_themselves() {
        for letter in Letter::ALL {
            let text = format!("{}{}", Letter::TEXT_MAGIC, char::from(letter.as_byte()));
            assert_eq!(text::encode(&letter.magic()), text);
            assert_eq!(letter.magic()[..2], Letter::MAGIC_START);
            assert_eq!(Letter::of_magic(letter.magic()), Some(letter));
            assert_eq!(letter.nonce_len(), if letter.has_context_in_nonce() { 12 } else { 24 });
        }
        assert_eq!(Letter::of_magic([0xAF, 0x1B, 0x18]), None);
    }

    #[test]
    fn keys_seal_with_letters_of_their_suite() {
        for suite in Suite::ALL {
            for bound in [false, true] {
                let letter = suite.sealing_letter(bound);
                assert!(Letter::ALL.contains(&letter) && letter.suite() == suite);
                assert!(bound || !letter.has_context_in_nonce(), "FORMAT 5.1: {letter:?} needs a record id");
            }
        }
    }
}
