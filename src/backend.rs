//! The implementations of the primitives.

/// The implementation of AES-GCM, ChaCha20-Poly1305, HKDF and SHA-256 that an unlocked keyring computes with.
///
/// Each process chooses it with [`UnlockOptions::backend`](crate::keys::UnlockOptions::backend), and the choice is stored nowhere. Each
/// backend opens what the other seals, and from the same key, nonce and value both make the same bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// The RustCrypto crates, which are pure Rust.
    #[cfg_attr(not(all(rxseal_default_backend = "aws-lc", feature = "aws-lc")), default)]
    RustCrypto,
    /// AWS-LC, a library in C and assembler, through `aws-lc-rs` (feature `aws-lc`). It is faster, above all for large fields.
    /// docs/SPEED.md says what it means for a validated module.
    #[cfg(feature = "aws-lc")]
    #[cfg_attr(rxseal_default_backend = "aws-lc", default)] // So that CI runs every test with it.
    AwsLc,
}

#[cfg(test)]
impl Backend {
    /// Every backend in this build.
    pub(crate) const ALL: &[Self] = &[
        Self::RustCrypto,
        #[cfg(feature = "aws-lc")]
        Self::AwsLc,
    ];
}
