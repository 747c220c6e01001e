//! Which implementation of the primitives computes.

/// The implementation of AES-GCM, ChaCha20-Poly1305, HKDF and SHA-256 that an unlocked keyring computes with.
///
/// It is a choice of this process, made with [`UnlockOptions::backend`](crate::keys::UnlockOptions::backend) and written nowhere: what one
/// backend seals, the other opens, and both make the same bytes of the same key, nonce and value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// The crates of RustCrypto, in Rust alone.
    #[cfg_attr(not(all(rxseal_default_backend = "aws-lc", feature = "aws-lc")), default)]
    RustCrypto,
    /// AWS-LC, a C and assembler library, through `aws-lc-rs` (feature `aws-lc`). Faster, above all for large fields. What
    /// that means for a validated module: docs/SPEED.md.
    #[cfg(feature = "aws-lc")]
    #[cfg_attr(rxseal_default_backend = "aws-lc", default)] // So that CI runs every test with it.
    AwsLc,
}

#[cfg(test)]
impl Backend {
    /// Every backend of this build.
    pub(crate) const ALL: &[Self] = &[
        Self::RustCrypto,
        #[cfg(feature = "aws-lc")]
        Self::AwsLc,
    ];
}
